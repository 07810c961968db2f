# shellcheck shell=bash
# Certificates: the operator's, those of certbot (the deploy hook puts them here), or one that is signed by itself.

TLS=/etc/fsivr/tls
HOOK=/etc/letsencrypt/renewal-hooks/deploy/fsivr

make_certificates() {
    step 'certificates'
    folder "$TLS" root:fsivr 750
    if [[ -n "$CERTIFICATE" ]]; then
        put "$TLS/certificate.pem" root:fsivr 640 <"$CERTIFICATE"
        put "$TLS/key.pem" root:fsivr 640 <"$CERTIFICATE_KEY"
    elif [[ ! -s "$TLS/certificate.pem" || ! -s "$TLS/key.pem" ]]; then
        change "makes a certificate of $api_name, signed by itself: clients will warn of it" sign_by_itself
    else
        own "$TLS/certificate.pem" root:fsivr 640
        own "$TLS/key.pem" root:fsivr 640
    fi
    put "$HOOK" root:root 755 <"$here/provisioning/renewed-certificate"
}

sign_by_itself() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=${api_name:0:64}" \
        -addext "subjectAltName=DNS:$api_name" -keyout "$WORK/key.pem" -out "$WORK/certificate.pem"
    install -o root -g fsivr -m 640 "$WORK/key.pem" "$TLS/key.pem"
    install -o root -g fsivr -m 640 "$WORK/certificate.pem" "$TLS/certificate.pem"
}
