import { quoted } from '../remote/quote.ts';
import type { TrustedRegistry } from './machine.ts';

/**
 * A script for the shell (POSIX) that makes a client trust a registry, without anything of this project. `DESTDIR` goes
 * before its paths, as for `make install`.
 * @param url where the same CA is to be had, for a person who would rather fetch it
 */
export function trustScript({ authorities, ca }: TrustedRegistry, url: string): string {
  const [first = ''] = authorities;
  const file = `/etc/docker/certs.d/${first}/ca.crt`;
  return `#!/bin/sh
# Makes Docker, Podman and skopeo on this machine trust the registry ${first}. Run it as root.
# Its CA has the SHA-256 fingerprint ${ca.fingerprint}
# The same by hand:
#   curl --insecure --output ca.crt ${quoted(url)}
#   openssl x509 -in ca.crt -noout -sha256 -fingerprint     # it has to be the one above
#   sudo install -D -m 644 ca.crt ${quoted(file)}
set -eu
umask 022
ca=$(cat <<'CA'
${ca.pem.trimEnd()}
CA
)
for place in /etc/docker /etc/containers; do
  [ "$place" = /etc/docker ] || [ -d "\${DESTDIR:-}$place" ] || continue
  for name in ${authorities.map(quoted).join(' ')}; do
    folder="\${DESTDIR:-}$place/certs.d/$name"
    mkdir -p "$folder"
    printf '%s\\n' "$ca" > "$folder/ca.crt.new"
    mv "$folder/ca.crt.new" "$folder/ca.crt"
    echo "$folder/ca.crt"
  done
done
`;
}
