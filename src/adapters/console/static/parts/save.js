// Files that the reader saves.

/** Saves a file, as a link that is followed would. */
export function save(/** @type {Blob} */ content, /** @type {string} */ name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser takes the content after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
