//! Passwords of twelve characters and more that are tried first: what lists of stolen passwords have in common, walks over the
//! keyboard, and what comes to mind in front of this program.

/// In lower case, sorted.
#[rustfmt::skip]
const FREQUENT: [&str; 220] = [
    "!qaz2wsx3edc", "1234567890qwerty", "123456789abc", "123456789qwe", "12345qwert12345", "123qwe123qwe",
    "123qweasdzxc", "12qwaszx12qwaszx", "1a2b3c4d5e6f", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "1qazxsw23edc",
    "1qazxsw23edcvfr4", "a123456789012", "a1b2c3d4e5f6", "a1s2d3f4g5h6", "aa1234567890", "aa123456789a",
    "abc123456789", "abc123abc123", "abcd12345678", "abcdef123456", "abcdefg12345", "abcdefgh1234",
    "abcdefgh12345678", "admin1234567", "admin12345678", "admin123456789", "adminadmin12", "adminadmin123",
    "adminadminadmin", "administrador", "administrator", "administrator1", "administrator123",
    "adminpassword", "alexander123", "alexandra123", "asdfghjkl123", "asdfghjkl1234", "asdfghjklzxcvbnm",
    "australia123", "azertyuiop123", "barcelona123", "baseball1234", "basketball12", "basketball123",
    "batman123456", "blessed12345", "butterfly123", "california12", "changeme1234", "changeme12345",
    "changemenow1", "charlotte123", "chelsea12345", "chocolate123", "christopher1", "christopher12",
    "computer1234", "contrasena123", "correct horse battery staple", "correcthorsebatterystaple",
    "counterstrike", "default12345", "defaultpassword", "deutschland1", "dragon123456", "elizabeth123",
    "facebook1234", "football1234", "football12345", "godisgood123",
    "google123456", "guest1234567", "harrypotter1", "harrypotter7", "hello1234567", "hello12345678",
    "hellohello12", "helloworld12", "helloworld123", "ilovechocolate", "ilovemyfamily", "ilovemymother",
    "iloveyou1234", "iloveyou12345", "iloveyou123456", "iloveyouforever", "iloveyousomuch", "internet1234",
    "inventory123", "jennifer1234", "jesuschrist1", "jesusislord1", "jesuslovesme", "juventus1234",
    "letmein12345", "letmein123456", "letmeinplease", "liverpool123", "manchester12", "manchesterunited",
    "master123456", "masterpassword", "metallica666", "michael12345", "minecraft123", "monkey123456",
    "motdepasse123", "mynameismike", "mypassword12", "mypassword123", "mypassword1234", "newpassword1",
    "newpassword123", "notapassword", "onhand123456", "onhandonhand", "opensesame123", "p@ssw0rd1234",
    "p@ssw0rd12345", "p@ssword1234", "p@ssword12345", "passw0rd1234", "passw0rd12345", "password123!",
    "password1234", "password1234!", "password12345", "password123456", "password1234567",
    "password12345678", "password123456789", "password2020", "password2021", "password2022", "password2023",
    "password2024", "password2025", "password2026", "password@123", "password@1234", "passwordpassword",
    "passwort1234", "passwort12345", "playstation3", "pokemon12345", "princess1234", "princess12345",
    "q1w2e3r4t5y6", "q1w2e3r4t5y6u7", "q1w2e3r4t5y6u7i8", "qazwsxedc123", "qazwsxedcrfv", "qazwsxedcrfvtgb",
    "qwe123qwe123", "qweasdzxc123", "qweqweqweqwe1", "qwerty123456", "qwerty1234567", "qwerty12345678",
    "qwerty123456789", "qwertyqwerty", "qwertyuiop10", "qwertyuiop12", "qwertyuiop123", "qwertyuiop1234",
    "qwertyuiop12345", "qwertyuiop[]", "qwertyuiopasdf", "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm", "qwertzuiop123", "qwertzuiopasdf", "root12345678", "samsung12345",
    "schalke04schalke04", "secretpassword", "shadow123456", "spiderman123", "spongebob123", "starwars1234",
    "strawberry12", "summer2024!!", "sunshine1234", "sunshine12345", "superadmin123", "superman1234",
    "superman12345", "superuser123", "temppassword123", "test12345678", "testing12345", "testpassword",
    "thisisapassword", "thisismypassword", "trustno1trustno1", "unbelievable", "user12345678",
    "username1234", "wachtwoord123", "warehouse123", "washington12", "welcome12345", "welcome123456",
    "welcome2024!", "welcome2025!", "welcome@1234", "whatever1234", "zaq12wsxcde3", "zaq1xsw2cde3",
    "zaqxswcdevfr", "zxcvbnm12345", "zxcvbnm123456", "zxcvbnmasdfghjkl",
];

/// True when many people use it, in whatever case.
pub(crate) fn is_frequent(lower: &str) -> bool {
    FREQUENT.binary_search(&lower).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(FREQUENT.is_sorted_by(|a, b| a < b));
        for password in FREQUENT {
            assert!(password.chars().count() >= 12 && password == password.to_lowercase(), "{password}");
            assert!(is_frequent(password));
        }
        assert!(!is_frequent("correct horse stapled"));
    }
}
