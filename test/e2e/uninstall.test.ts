import { afterAll, beforeAll, expect, test } from 'vitest';
import { BASE_IMAGE, BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type Ran } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

const HOME = '/srv/my registry';
const DATA = '/srv/my images';
const TRUST = '/etc/docker/certs.d/registry.test/ca.crt';
const UNIT = 'moorage-renewer.service';
const DONE = { exitCode: 0, stderr: '' };

let remote: RemoteMachine;
let password: string;
let neighbours: string;
let fingerprint: string;

/** A machine of ada's, who may use the engine and is not root, with somebody else's things on it. */
beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  remote = await RemoteMachine.boot('systemd');
  await remote.takeImages(BASE_IMAGE, BUILT.registry, BUILT.nginx, BUILT.node);
  const checkout = await Checkout.make();
  await remote.machine.clone(checkout.root, HOME);
  await checkout.dispose();
  await succeed(`
    usermod --append --groups docker ada
    mkdir "${DATA}" /srv/elsewhere && echo mine | tee "${DATA}/notes.txt" /srv/elsewhere/mine
    npm ci --omit=dev --no-audit --no-fund --loglevel=error
    chown -R ada:ada . "${DATA}"
    docker network create theirs
    docker volume create their-data
    docker run --detach --name theirs --network theirs --volume their-data:/data ${BUILT.node} sleep infinity
    docker volume create --label com.docker.compose.project=other --label com.docker.compose.volume=registry-socket other_registry-socket`);
  await succeed(
    `sed 's|^#*REGISTRY_DATA_DIR=.*|REGISTRY_DATA_DIR="${DATA}"|' .env.dist > .env; chown ada .env`,
  );
  const { stdout, stderr } = await asAda('init-tls', '--yes', '--json');
  password = JSON.parse(stdout || stderr).firstUser.password;
  await push('app');
  neighbours = await theirs();
  fingerprint = await certificate();
});

afterAll(() => remote?.dispose());

const sh = (script: string): Promise<Ran> => remote.sh(script, HOME);
const asRoot = (...args: string[]) => remote.run(npm(args), HOME);
const asAda = (...args: string[]) => remote.run(['runuser', '-u', 'ada', '--', ...npm(args)], HOME);
const theirs = () =>
  succeed(`docker inspect --format '{{.State.Running}} {{.Id}}' theirs; docker volume ls --quiet | sort | grep -v moorage_
    docker network ls --quiet --filter name=theirs; cat /srv/elsewhere/mine "${DATA}/notes.txt"`);
const certificate = () => succeed('openssl x509 -noout -fingerprint -in var/tls/current/fullchain.pem');
const engineHas = async () =>
  (
    await sh(`docker ps --all --format '{{.Names}}'; docker network ls --format '{{.Name}}' --filter name=moorage
      docker volume ls --quiet --filter name=moorage`)
  ).stdout.split('\n');

function npm([name = '', ...args]: string[]): string[] {
  return ['npm', 'run', '--silent', name, '--', ...args];
}

/** By docker, which trusts localhost as it is. */
async function push(name: string): Promise<void> {
  await login();
  await succeed(`tar -c notes-of-${name} 2>/dev/null --files-from /dev/null | docker import - localhost/${name}:1
    docker push localhost/${name}:1 && docker image rm localhost/${name}:1`);
}

async function login(): Promise<void> {
  await succeed(`echo '${password}' | docker login --username admin --password-stdin localhost`);
}

async function succeed(script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await sh(`set -e; ${script}`);
  expect({ exitCode, stderr }, script).toMatchObject({ exitCode: 0 });
  return stdout;
}

test('nothing is changed without consent, by a wrong name, or by --dry-run', async () => {
  const before = await engineHas();
  expect(await asAda('uninstall')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(await asAda('uninstall', '--purge', 'registry.example.com', '--yes')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is not the name of this registry, which is localhost'),
  });
  expect(await asAda('uninstall', '--purge', '--yes')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--purge localhost'),
  });
  const { exitCode, stdout } = await asAda('uninstall', '--purge', '--dry-run');
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(DATA) });
  expect(await engineHas()).toEqual(before);
});

test('while another command is at work it is refused, and says which', async () => {
  const script = `import { spawnSync } from 'node:child_process';
    import { withLock } from '../src/system/lock.ts';
    import { systemClock } from '../src/system/clock.ts';
    await withLock('var/locks/storage', 'npm run gc', systemClock, async () => {
      const args = ['run', '--silent', 'uninstall', '--', '--yes'];
      process.exitCode = spawnSync('npm', args, { stdio: 'inherit' }).status ?? 9;
    });`;
  await succeed(`cat > scripts/hold.ts <<'END'\n${script}\nEND`);
  const holder = ['runuser', '-u', 'ada', '--', 'node', 'scripts/start.mjs', 'hold'];
  expect(await remote.run(holder, HOME)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('npm run gc is running'),
  });
  await succeed('rm scripts/hold.ts');
});

test('all that was made here goes, but for what belongs to root: then the commands are told', async () => {
  expect(await asRoot('daemon', '--install')).toMatchObject({ exitCode: 0 });
  const script = `import { Made } from '../src/host/made.ts';
    await new Made('var/made.json').ensure('${TRUST}', 'trust', 'a CA');`;
  await succeed(`cat > scripts/make.ts <<'END'\n${script}\nEND
    node scripts/start.mjs make; rm scripts/make.ts; touch ${TRUST}.theirs`);
  const { exitCode, stdout } = await asAda('uninstall', '--yes', '--json');
  const told = JSON.parse(stdout);
  expect(exitCode).toBe(1);
  expect(told.remains.map(({ what }: { what: string }) => what)).toEqual([UNIT, TRUST]);
  expect(told.removed).toContainEqual({ kind: 'container', name: 'moorage-nginx-1' });
  expect(await engineHas()).toEqual(['theirs']);
  expect(await succeed('docker image ls --format "{{.Repository}}"')).not.toMatch(/gate|renewer/);
});

test('root takes away the unit and what was made outside, and after that nothing is left', async () => {
  expect(await asRoot('uninstall', '--yes')).toMatchObject(DONE);
  expect((await sh(`systemctl cat ${UNIT}`)).exitCode).not.toBe(0);
  expect(await succeed(`ls ${TRUST}*`)).toBe(`${TRUST}.theirs`);
  const { exitCode, stdout } = await asAda('uninstall');
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Nothing of Moorage'),
  });
});

test('init-tls brings the same registry back, with its images, users and certificate', async () => {
  expect(await asAda('init-tls', '--yes')).toMatchObject({ exitCode: 0 });
  expect(await certificate()).toBe(fingerprint);
  await login();
  await succeed('docker pull localhost/app:1 && docker image rm localhost/app:1');
  expect(await engineHas()).toContain('moorage-renewer-1'); // the unit is gone, so a container does its work
});

test('killed in the middle of --purge, the next run comes to the end; files of root’s go by a container', async () => {
  await succeed(`chown -R root:root "${DATA}/docker" && chmod -R go-w "${DATA}/docker"
    ln -s /srv/elsewhere var/link; ln -s /srv/elsewhere "${DATA}/docker/registry/v2/link"`);
  const purge = npm(['uninstall', '--purge', 'localhost', '--yes']);
  const command = ['runuser', '-u', 'ada', '--', ...purge];
  expect(await remote.machine.runUntil(command, HOME, /^. Networks/, 'uninstall')).toBe(true);
  expect((await sh('test -e .env')).exitCode).toBe(0);

  const typed = (name: string) =>
    remote.machine.atTerminal(
      'runuser -u ada -- npm run --silent uninstall -- --purge',
      HOME,
      'for good: ',
      `${name}\n`,
    );
  expect(await typed('local')).toMatchObject({ exitCode: 2 });
  expect((await sh('test -e .env')).exitCode).toBe(0);
  expect(await typed('localhost')).toMatchObject({ exitCode: 0 });
  expect(await engineHas()).toEqual(['theirs']);
  expect(
    await succeed(`ls -A "${DATA}"; ls -A registry/auth; ls -d .env var 2>/dev/null || true`),
  ).not.toMatch(/docker|password|\.env$|var/);
  expect((await asAda('uninstall', '--purge', 'localhost', '--yes')).exitCode).toBe(0);
});

test('what somebody else has on the machine is as it was, images that they may need included', async () => {
  expect(await theirs()).toBe(neighbours);
  expect(await succeed('docker image ls --format "{{.Repository}}"')).toContain('moorage/registry');
});

test('the last stack takes the images that all share, except for those in use', async () => {
  await succeed('docker volume rm other_registry-socket');
  const { exitCode, stdout } = await asRoot('uninstall', '--yes', '--json');
  expect({ exitCode, removed: JSON.parse(stdout).removed.map(({ name }: { name: string }) => name) }).toEqual(
    {
      exitCode: 0,
      removed: expect.arrayContaining([BUILT.registry, BUILT.nginx, BASE_IMAGE]),
    },
  );
  expect((await succeed('docker image ls --format "{{.Repository}}"')).trim()).toBe('moorage/node');
});

test('without an engine what it has can’t be looked at: exit 1', async () => {
  await succeed('docker kill theirs; systemctl stop docker docker.socket');
  expect(await asAda('uninstall')).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('containers, networks, volumes and images'),
  });
});
