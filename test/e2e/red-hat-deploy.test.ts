import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

/** All of a deploy to one of RHEL's kin, by real dnf; packages, keys and repositories are stand-ins (red-hat.sh). */
const PINNED_IN = 'src/host/docker-dnf-repository.ts';
const KEY = '/srv/download.docker.com/linux/centos/gpg';

let machine: RemoteMachine;
let here: Checkout;
let folder: string;

beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  [machine, here, folder] = await Promise.all([
    RemoteMachine.boot('red-hat'),
    Checkout.make(),
    mkdtemp(join(tmpdir(), 'red-hat-')),
  ]);
  await machine.sh(`echo 127.0.0.1 download.docker.com >> /etc/hosts
    echo "SetEnv NODE_EXTRA_CA_CERTS=/opt/standing-in/certificate.pem" >> /etc/ssh/sshd_config
    kill -HUP $(cat /run/sshd.pid)
    setsid python3 /opt/standing-in/serve.py >/dev/null 2>&1 </dev/null &`);
  const { stdout } = await machine.sh(
    `gpg --with-colons --show-keys ${KEY} | awk -F: '$1 == "fpr" { print $10; exit }'`,
  );
  const file = join(here.root, PINNED_IN);
  const source = await readFile(file, 'utf8');
  await writeFile(
    file,
    source.replace(/^const FINGERPRINT = .*/m, `const FINGERPRINT = '${stdout.trim()}';`),
  );
});

afterAll(async () => {
  await machine?.dispose();
  await here?.dispose();
  await rm(folder, { recursive: true, force: true });
});

test('from nothing to a registry that Docker there trusts, and that is pushed to and pulled from here', async () => {
  const archive = join(folder, 'images.tar');
  expect(await here.command('images', ['save', archive])).toMatchObject({ exitCode: 0 });
  const given = ['--set', `DOMAIN=${machine.address}`, '--set', 'HTTPS_PORT=8443', '--images', archive];
  const { exitCode, stdout, stderr } = await here.command(
    'deploy',
    [machine.login, ...given, '--yes', '--with', 'cacerts'],
    { env: machine.env },
  );
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Programs +Node \S+, npm \S+ and rsync installed/);
  expect(stdout).toMatch(/✓ Docker +Docker 20\.10\.24\S*, Compose 2\.\S+, installed and started/);
  expect(stdout).toMatch(/✓ Trust[\s\S]+pushed and pulled \S+ by docker/);
  expect(stdout).toMatch(/✓ Doctor +\d+ checks from here are fine/);
});
