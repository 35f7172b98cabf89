// Tabs. The arrow keys choose a tab, too.

import { h } from '../vendor/preact.js';
import { useId } from '../vendor/hooks.js';

/**
 * @param {{ label: string, tabs: [id: string, title: string][], value: string, onChange: (id: string) => void,
 *   children?: import("preact").ComponentChildren }} props
 */
export function Tabs({ label, tabs, value, onChange, children }) {
  const name = useId();
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const at = tabs.findIndex(([id]) => id === value);
    const to = /** @type {Record<string, number>} */ ({ ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 })[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const [id] = tabs[(to + tabs.length) % tabs.length];
    onChange(id);
    document.getElementById(`${name}-${id}`)?.focus();
  };
  return [
    h('div', { class: 'tabs', role: 'tablist', 'aria-label': label, onKeyDown }, tabs.map(([id, title]) => h('button', {
      key: id, type: 'button', role: 'tab', id: `${name}-${id}`, 'aria-selected': id === value, 'aria-controls': `${name}-panel`,
      tabIndex: id === value ? 0 : -1, onClick: () => onChange(id),
    }, title))),
    h('div', { class: 'tab-panel', role: 'tabpanel', id: `${name}-panel`, 'aria-labelledby': `${name}-${value}` }, children),
  ];
}
