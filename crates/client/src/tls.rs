//! TLS: rustls with ring, the system's roots, and those that the caller adds.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::InvalidCertificate;
use crate::{Error, Security};

/// A certificate of an authority that is trusted besides the system's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificate(CertificateDer<'static>);

impl CaCertificate {
    /// Reads the certificates of a PEM file, of which there is at least one.
    ///
    /// # Errors
    /// [`Error::CaCertificate`].
    pub fn parse_pem(pem: &[u8]) -> Result<Vec<Self>, Error> {
        let certificates: Vec<Self> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.map(Self))
            .collect::<Result<_, _>>()
            .map_err(|source| Error::CaCertificate(InvalidCertificate::Pem(source)))?;
        if certificates.is_empty() {
            return Err(Error::CaCertificate(InvalidCertificate::Empty));
        }
        Ok(certificates)
    }
}

/// Makes the configuration of all TLS connections.
pub(crate) fn configuration(security: Security, authorities: &[CaCertificate]) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the default versions");
    let roots = roots(authorities)?;
    let mut configuration = match security {
        Security::TlsUnverified => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate { provider }))
            .with_no_client_auth(),
        Security::Auto | Security::PlainHttp | Security::Tls => {
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(configuration)
}

/// Collects the roots of trust: the system's, or Mozilla's where the system has none, and the caller's.
fn roots(authorities: &[CaCertificate]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // Systems carry single certificates that cannot be read; all others are still good.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for CaCertificate(certificate) in authorities {
        roots.add(certificate.clone()).map_err(|source| Error::CaCertificate(InvalidCertificate::Root(source)))?;
    }
    Ok(roots)
}

/// Accepts any certificate, for [`Security::TlsUnverified`].
///
/// The connection is encrypted, but to nobody knows whom: whoever sits in between can read and change everything,
/// credentials included. The handshake is still verified with the key of the certificate that came.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_with_the_reason() {
        let table = [
            ("", "there is no certificate"),
            ("hello", "there is no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "not PEM"),
        ];
        for (pem, expected) in table {
            let error = CaCertificate::parse_pem(pem.as_bytes()).unwrap_err();
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains(expected), "{pem}: {cause}");
        }
        let pem = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        let broken = CaCertificate::parse_pem(pem.as_bytes()).unwrap();
        assert!(matches!(
            configuration(Security::Tls, &broken),
            Err(Error::CaCertificate(InvalidCertificate::Root(_)))
        ));
    }
}
