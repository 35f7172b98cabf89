//! The port of the keys of personal data: what is personal stands in the log only sealed, and can be erased with its key.

use std::io;

/// Seals personal data, with one key for each subject: a customer, or an order of a guest. The log, its archive and the snapshots
/// are never changed, so what stands in them about somebody is erased by erasing the key.
///
/// A subject is named by 1-64 printable ASCII characters, for example the id of a customer. Several processes of one data directory
/// share the keys: what one makes or erases counts for the others at once. All calls block.
///
/// A sealed text is ASCII without white space and quotes. Its first characters, up to a full stop, are the version of its format, and
/// it names its key: a subject whose key was erased gets another key with the next text, and the old texts stay erased.
///
/// | bytes of plain text | characters of the sealed text |
/// | --- | --- |
/// | n | 14 + ⌈4 (n + 28) / 3⌉ |
pub trait PersonalKeys: Send + Sync {
    /// Seals `plain` for `subject`. The text is good only for that subject and in that place, for example `order o-1`. A key is made
    /// when the subject has none; it is durable before this returns.
    ///
    /// # Errors
    /// `InvalidInput` for a name that no subject can have; what the disk says; keys that are damaged (`InvalidData`). Then there is no
    /// sealed text; whether the subject has got a key is open, and harms nobody.
    fn seal(&self, subject: &str, place: &str, plain: &[u8]) -> io::Result<String>;

    /// What was sealed; nothing when the key of the text is erased. A text that names a key which never was counts as erased, too:
    /// nothing can tell it from that.
    ///
    /// # Errors
    /// `InvalidData` for a text that is damaged, of a later version, or from another place or subject, and for keys that are damaged;
    /// what the disk says.
    fn open(&self, subject: &str, place: &str, sealed: &str) -> io::Result<Option<Vec<u8>>>;

    /// Erases the keys of some subjects durably. Returns how many of them had one; of two calls at once for one subject, both may
    /// count it. The work is that of writing all other keys once, whatever the number of subjects. A text that is being sealed
    /// meanwhile may be erased with the rest.
    ///
    /// # Errors
    /// What the disk says, or keys that are damaged. Then all of the keys are erased or none of them; calling it again goes on.
    fn erase_all(&self, subjects: &[&str]) -> io::Result<usize>;

    /// Erases the key of one subject durably; false when there is none.
    ///
    /// # Errors
    /// As [`PersonalKeys::erase_all`].
    fn erase(&self, subject: &str) -> io::Result<bool> {
        Ok(self.erase_all(&[subject])? > 0)
    }
}
