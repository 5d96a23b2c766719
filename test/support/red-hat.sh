# Makes this Debian look like a Rocky Linux 9.4 to whatever installs programs: its programs come by the real dnf from a
# repository on its own disk, and Docker's from what it takes for download.docker.com. The packages are stand-ins by
# name and by what they say they conflict with, made of Debian's programs; signed by a key that is made here.
set -eu
arch=$(uname -m)
export GNUPGHOME=/opt/standing-in/gnupg GPG_TTY=none
rpms=/opt/standing-in/rpms
docker=/srv/download.docker.com/linux/centos
system=/srv/rocky
mkdir -p -m 700 "$GNUPGHOME"
mkdir -p "$rpms" "$docker/9/$arch/stable" "$system" /etc/pki/rpm-gpg

signer() { gpg --batch --quiet --passphrase '' --quick-generate-key "$1 (stand-in)" rsa2048 sign never; }
for name in docker rocky stranger; do signer "$name"; done
gpg --armor --export docker > "$docker/gpg"
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=download.docker.com -addext subjectAltName=DNS:download.docker.com \
  -keyout /opt/standing-in/key.pem -out /opt/standing-in/certificate.pem 2> /dev/null
cat /opt/standing-in/certificate.pem >> /etc/ssl/certs/ca-certificates.crt
gpg --armor --export rocky > /etc/pki/rpm-gpg/RPM-GPG-KEY-rocky
cat > /opt/standing-in/serve.py <<'SERVER'
import http.server, os, ssl
os.chdir('/srv/download.docker.com')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('/opt/standing-in/certificate.pem', '/opt/standing-in/key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
SERVER
cat > /opt/standing-in/hold-lock.py <<'HOLDER'
import os, time, dnf, dnf.lock
base = dnf.Base()
base.conf.read()
with dnf.lock.build_metadata_lock(base.conf.cachedir, True):
    open('/tmp/held', 'w').close()
    while os.path.exists('/tmp/held'):
        time.sleep(0.1)
HOLDER
cat > "$HOME/.rpmmacros" <<'MACROS'
%_gpg_name %{?signer}%{!?signer:rocky}
%__gpg /usr/bin/gpg
%_binary_payload w0.gzdio
%_build_id_links none
%__os_install_post %{nil}
%debug_package %{nil}
%_rpmdir /opt/standing-in/rpms
%_rpmfilename %%{NAME}-%%{VERSION}.rpm
MACROS

# package NAME VERSION SIGNER [LINE OF THE SPEC]... -- [FILE]...: what is on this machine now is what it installs
package() {
  name=$1 version=$2 signer=$3
  shift 3
  spec=/opt/standing-in/$name.spec
  printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: stand-in\nLicense: none\nAutoReqProv: no\n' "$name" "$version" > "$spec"
  while [ "$1" != -- ]; do echo "$1" >> "$spec"; shift; done
  shift
  printf '%%description\nstand-in\n%%install\n' >> "$spec"
  for file; do printf 'mkdir -p "%%{buildroot}%s" && cp -a "%s" "%%{buildroot}%s"\n' "$(dirname "$file")" "$file" "$file" >> "$spec"; done
  echo '%files' >> "$spec"
  for file; do echo "$file" >> "$spec"; done
  rpmbuild -bb --quiet "$spec" >&2
  [ "$signer" = nobody ] || rpmsign --define "signer $signer" --addsign "$rpms/$name-$version.rpm" > /dev/null
}

programs() { dpkg -L "$@" | grep -E '/s?bin/.'; }

mkdir -p /usr/libexec/docker/cli-plugins
mv /usr/local/lib/docker/cli-plugins/docker-compose /usr/libexec/docker/cli-plugins/
# What they exclude is from docker/docker-ce-packaging, docker/containerd-packaging and the podman.spec of RHEL 9.
docker_files=$(programs docker.io | grep -v '/docker$')
containerd_files=$(programs containerd runc)
package docker-ce 20.10.24 docker 'Requires: docker-ce-cli' 'Requires: containerd.io' 'Conflicts: docker' -- $docker_files
package docker-ce-cli 20.10.24 docker 'Conflicts: docker' -- /usr/bin/docker
package containerd.io 1.6.20 docker 'Provides: containerd' 'Obsoletes: containerd' 'Obsoletes: runc' \
  'Conflicts: containerd' 'Conflicts: runc' -- $containerd_files
package docker-compose-plugin 2.30.0 docker -- /usr/libexec/docker/cli-plugins/docker-compose
mv "$rpms"/*.rpm "$docker/9/$arch/stable"
createrepo_c --quiet "$docker/9/$arch/stable"

mkdir -p /etc/yum.repos.d "$system/base" "$system/epel"
repository() { printf '[%s]\nname=%s\nbaseurl=file://%s/%s\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-rocky\n' "$1" "$1" "$system" "$1"; }
repository epel > /etc/yum.repos.d/epel.repo
package restic 0.14.0 rocky -- /usr/bin/restic
mv "$rpms"/*.rpm "$system/epel"
package gnupg2 2.2.40 rocky --
package epel-release 9 rocky -- /etc/yum.repos.d/epel.repo
package rocky-release 9.4 rocky 'Provides: system-release(releasever) = 9' --
package rsync 3.2.7 rocky -- /usr/bin/rsync
package nodejs 16.20.2 rocky --
package nodejs 20.19.0 rocky --
package nodejs 22.16.0 rocky -- /usr/bin/node
package npm 10.9.2 rocky 'Requires: nodejs' -- /usr/lib/node_modules/npm /usr/bin/npm /usr/bin/npx
package runc 1.1.12 rocky --
(cd /opt/standing-in && apt-get download -qq podman-docker && dpkg-deb -x podman-docker_*.deb podman-docker)
cp /opt/standing-in/podman-docker/usr/bin/docker /usr/bin/docker
package podman-docker 4.3.1 rocky 'Conflicts: docker' 'Conflicts: docker-ce' -- /usr/bin/docker
package by-a-stranger 1 stranger --
package unsigned 1 nobody --
mv "$rpms"/*.rpm "$system/base"
createrepo_c --quiet "$system/base"
createrepo_c --quiet "$system/epel"
stream() {
  printf -- '---\ndocument: modulemd\nversion: 2\ndata:\n  name: nodejs\n  stream: "%s"\n  version: 1\n  context: rocky\n' "$1"
  printf '  arch: %s\n  summary: stand-in\n  description: stand-in\n  license: { module: [none] }\n  artifacts:\n    rpms:\n' "$arch"
  shift
  for each; do echo "    - $each"; done
}
{ stream 20 nodejs-0:20.19.0-1.$arch; stream 22 nodejs-0:22.16.0-1.$arch npm-0:10.9.2-1.$arch; } > "$system/modules.yaml"
modifyrepo_c --mdtype=modules "$system/modules.yaml" "$system/base/repodata" > /dev/null

# Now all that went into packages is taken away, and with it what says that this is a Debian.
rm -rf $docker_files $containerd_files /usr/bin/docker /usr/libexec/docker /usr/bin/rsync /usr/bin/restic /etc/yum.repos.d/epel.repo
rm -rf /usr/bin/node /usr/lib/node_modules /usr/bin/npm /usr/bin/npx
for each in apt-get apt-cache dpkg-query; do mv "/usr/bin/$each" "/opt/standing-in/$each"; done
printf '[main]\ngpgcheck=1\nbest=True\nskip_if_unavailable=False\n' > /etc/dnf/dnf.conf # as RHEL has it
repository base > /etc/yum.repos.d/rocky.repo
rm /etc/os-release
printf 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPLATFORM_ID="platform:el9"\nPRETTY_NAME="Rocky Linux 9.4 (stand-in)"\n' > /etc/os-release
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' \
  > /etc/containers/storage.conf # an overlay can't stand on another
rm -f "$rpms"/*
dnf -q -y install rocky-release >&2
