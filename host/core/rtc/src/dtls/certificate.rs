//! The server's certificate: made at its start, self-signed, the same for all sessions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::crypto as dtls;
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::error::Error;
use rtc_stun::crypto::RTCCryptoProvider;
use rtc_stun::crypto::providers::AwsLcRsProvider;

use crate::fingerprint::Fingerprint;
use crate::srtp::Profile;

/// What a flight is repeated after, for the first time.
pub const FLIGHT_INTERVAL: Duration = Duration::from_millis(50);

/// A key pair, and how handshakes are done with it.
pub struct Certificate {
    fingerprint: Fingerprint,
    gcm: Arc<HandshakeConfig>,
    cm: Arc<HandshakeConfig>,
    client: Arc<HandshakeConfig>,
}

/// The certificate cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("no certificate for WebRTC: {0}")]
pub struct CertificateError(Error);

impl Certificate {
    /// Makes a key pair of ECDSA P-256 and signs it with itself.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn generate() -> Result<Arc<Self>, CertificateError> {
        Self::offering(&[Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80])
    }

    /// The protections that are offered where we begin, the best first.
    pub(crate) fn offering(profiles: &[Profile]) -> Result<Arc<Self>, CertificateError> {
        let provider: Arc<dyn RTCCryptoProvider> = Arc::new(AwsLcRsProvider::new());
        let names = vec!["webrtc".to_owned()];
        let own = dtls::Certificate::generate_self_signed(names, provider.crypto()).map_err(CertificateError)?;
        let fingerprint = Fingerprint::of(&own.certificate[0]);
        let build = |is_client, profiles: &[Profile]| {
            let profiles = profiles.iter().map(|profile| name(*profile)).collect();
            let config = ConfigBuilder::default()
                .with_crypto_provider(provider.clone())
                .with_certificates(vec![own.clone()])
                .with_srtp_protection_profiles(profiles)
                .with_client_auth(ClientAuthType::RequireAnyClientCert)
                .with_extended_master_secret(ExtendedMasterSecretType::Require)
                // Nobody vouches for the peer's certificate but its fingerprint, which we compare.
                .with_insecure_skip_verify(true)
                .with_server_name("webrtc".to_owned())
                .with_flight_interval(FLIGHT_INTERVAL)
                .build(is_client, None);
            config.map(Arc::new).map_err(CertificateError)
        };
        Ok(Arc::new(Self {
            fingerprint,
            gcm: build(false, &[Profile::AeadAes128Gcm])?,
            cm: build(false, &[Profile::Aes128CmSha1_80])?,
            client: build(true, profiles)?,
        }))
    }

    /// For the answer.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Answers handshakes with this protection and no other.
    pub(super) fn server(&self, profile: Profile) -> Arc<HandshakeConfig> {
        match profile {
            Profile::AeadAes128Gcm => self.gcm.clone(),
            Profile::Aes128CmSha1_80 => self.cm.clone(),
        }
    }

    /// Begins handshakes with either.
    pub(super) fn client(&self) -> Arc<HandshakeConfig> {
        self.client.clone()
    }
}

fn name(profile: Profile) -> SrtpProtectionProfile {
    match profile {
        Profile::AeadAes128Gcm => SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
        Profile::Aes128CmSha1_80 => SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
    }
}

/// The key is not told.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
