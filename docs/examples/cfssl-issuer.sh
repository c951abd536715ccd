#!/bin/sh
# Has a cfssl server sign: a command for server.yaml (docs/issuers.md). It needs cfssl, curl, jq and flock.
#
#   commands:
#     cfssl:
#       argv: [/usr/local/bin/cfssl-issuer]
#       environment:
#         CFSSL_URL: http://127.0.0.1:8888
#         CFSSL_CONFIG: /etc/certctl/cfssl.json   # signing.default.auth_remote: the server and its key
#         STATE: /var/lib/cfssl-issuer            # what was signed, by certctl's name for the key
set -eu
umask 077

info() {
  curl --silent --show-error --fail --max-time 20 --data '{"label": ""}' "$CFSSL_URL/api/v1/cfssl/info" ||
    { echo "cfssl does not answer" >&2; exit 14; }
}

case $CERTCTL_ACTION in
test)
  info | jq -r .result.certificate | openssl x509 -noout -subject -enddate -nameopt RFC2253 | paste -sd' '
  ;;
issue)
  signed=$STATE/$CERTCTL_KEY_ID
  exec 9> "$signed.lock"
  # Of two attempts for one key, the second takes what the first was given.
  flock 9
  if [ ! -s "$signed.pem" ]; then
    cat > "$signed.csr"
    names=$(printf '%s' "$CERTCTL_SUBJECT_ALT_NAME" | sed -E 's/(^|,)(DNS|IP|email|URI):/\1/g')
    if ! answer=$(cfssl sign -config "$CFSSL_CONFIG" -loglevel 5 -hostname "$names" "$signed.csr" 2> "$signed.err"); then
      jq -r .message "$signed.err" >&2 || cat "$signed.err" >&2
      # 74xx: the server was not reached.
      if grep -q '"code":74' "$signed.err"; then exit 14; else exit 10; fi
    fi
    { printf '%s' "$answer" | jq -r .cert; info | jq -r .result.certificate; } > "$signed.new"
    mv "$signed.new" "$signed.pem"
  fi
  cat "$signed.pem"
  ;;
*)
  echo "cfssl-issuer cannot $CERTCTL_ACTION" >&2
  exit 12
  ;;
esac
