//! Session keys out of a master key (RFC 3711 §4.3), once: the key derivation rate is zero.

use aes::Aes128Enc;
use aes::cipher::{BlockEncrypt, KeyInit};

use super::profile::MasterKey;

/// What a session key is for (RFC 3711 §4.3.2).
#[derive(Debug, Clone, Copy)]
pub enum Label {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// `N` bytes of key stream under the label.
pub fn derive<const N: usize>(master: &MasterKey, label: Label) -> [u8; N] {
    let cipher = Aes128Enc::new(&master.key.into());
    let mut input = [0; 16];
    input[..14].copy_from_slice(&master.salt);
    input[7] ^= label as u8;
    let mut output = [0; N];
    for (n, chunk) in output.chunks_mut(16).enumerate() {
        input[15] = n as u8;
        let mut block = input.into();
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profile;
    use super::*;

    #[test]
    fn session_keys_are_those_of_the_rfc() {
        // RFC 3711 §B.3.
        let key = 0xE1F9_7A0D_3E01_8BE0_D64F_A32C_06DE_4139_u128.to_be_bytes();
        let salt = [0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6];
        let master = MasterKey::new(Profile::Aes128CmSha1_80, &key, &salt).unwrap();

        assert_eq!(derive::<16>(&master, Label::RtpKey), 0xC61E_7A93_744F_39EE_1073_4AFE_3FF7_A087_u128.to_be_bytes());
        assert_eq!(
            derive::<14>(&master, Label::RtpSalt),
            [0x30, 0xCB, 0xBC, 0x08, 0x86, 0x3D, 0x8C, 0x85, 0xD4, 0x9D, 0xB3, 0x4A, 0x9A, 0xE1]
        );
        assert_eq!(
            derive::<20>(&master, Label::RtpAuthentication),
            [
                0xCE, 0xBE, 0x32, 0x1F, 0x6F, 0xF7, 0x71, 0x6B, 0x6F, 0xD4, 0xAB, 0x49, 0xAF, 0x25, 0x6A, 0x15, 0x6D,
                0x38, 0xBA, 0xA4
            ]
        );
    }
}
