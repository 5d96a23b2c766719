import { expect, test } from 'vitest';
import type { Run } from '../system/processes.ts';
import { expectCopied } from './copied.ts';
import { SshHost } from './ssh.ts';

/** Every program answers as a host does where root logs in. */
function recorded({ config = '', id = '0', copied = { exitCode: 0, stderr: '' } } = {}) {
  const ran: (readonly string[])[] = [];
  const run: Run = async (program, args) => {
    ran.push([program, ...args]);
    if (program === 'rsync') return { stdout: '', ...copied };
    const stdout = args.includes('-G') ? config : args.includes('id -u') ? id : '';
    return { exitCode: 0, stdout, stderr: '' };
  };
  return { ran, run };
}

const VPS = { host: 'vps', user: undefined, port: undefined, identityFile: undefined };

test('a key whose path has a quote in it is one word for rsync, too, as its manual has it', async () => {
  const { ran, run } = recorded();
  const identityFile = "/home/o'brien/my key";
  const host = await SshHost.open({ ...VPS, identityFile }, { run, interactive: false });
  await host.rsync((far) => ['/tmp/x', far('/srv/')]);
  await host.close();
  const rsync = ran.find(([program]) => program === 'rsync') ?? [];
  expect(rsync[rsync.indexOf('--rsh') + 1]).toContain("'-i' '/home/o''brien/my key' ");
});

test('what a configuration has for logging in by hand is put aside, and nothing else named that old clients do not know', async () => {
  const config = 'remotecommand tmux attach\nstdinnull yes\nforkafterauthentication no';
  const { ran, run } = recorded({ config });
  await (await SshHost.open(VPS, { run, interactive: false })).run(['true']);
  const words = ran.at(-1) ?? [];
  expect(words).toEqual(expect.arrayContaining(['-T', 'RemoteCommand=none', 'StdinNull=no']));
  expect(words).toContain('ClearAllForwardings=yes');
  expect(words).not.toContain('ForkAfterAuthentication=no');
  expect(words.find((word) => word.startsWith('ControlPath'))).toMatch(/^ControlPath="[^"]+"$/); // of TMPDIR, with its blanks
});

test('nor is a command here that prints, a host for tunnels alone, or a silence about why there is no connection', async () => {
  const config = 'permitlocalcommand yes\nsessiontype none\nloglevel SILENT'; // as -G says QUIET
  const { ran, run } = recorded({ config });
  await (await SshHost.open(VPS, { run, interactive: false })).run(['true']);
  const off = ['PermitLocalCommand=no', 'SessionType=default', 'LogLevel=ERROR'];
  expect(ran.at(-1)).toEqual(expect.arrayContaining(off));
  const { ran: plain, run: ordinary } = recorded({ config: 'loglevel DEBUG' });
  await (await SshHost.open(VPS, { run: ordinary, interactive: false })).run(['true']);
  expect(plain.at(-1)?.join(' ')).not.toMatch(/LogLevel|SessionType/);
});

test('what is made there can be read by others, whatever the umask of whoever logs in', async () => {
  const { ran, run } = recorded({ id: '1000' });
  await (await SshHost.open(VPS, { run, interactive: false })).run(['mkdir', '-p', '/srv/x']);
  expect(ran.at(-1)?.at(-1)).toBe("sudo -n -- sh -c 'umask 022; mkdir -p /srv/x'");
});

test('a shell that greets is told as such before anything that it says is believed', async () => {
  const { run } = recorded({ id: 'welcome to vps\n0' });
  await expect(SshHost.open(VPS, { run, interactive: false })).rejects.toMatchObject({
    code: 'shell-not-silent',
    message: expect.stringContaining('welcome to vps'),
  });
});

test('a script goes there in a form that whatever shell logs in hands on', async () => {
  const { ran, run } = recorded();
  const host = await SshHost.open(VPS, { run, interactive: false });
  await host.run(['sh', '-c', 'cd "$0"\nrm -rf ./a', '/srv/x']);
  expect(ran.at(-1)?.at(-1)).toMatch(/^sh -c '[^'\\\n!]+' [\w+/=]+$/);
});

const CLOSED = 'rsync: connection unexpectedly closed (52 bytes received so far) [sender]';
test.each([
  ['is lost', 12, CLOSED, 'connection-lost'],
  ['is lost as it writes', 10, 'rsync: [sender] write error: Broken pipe (32)', 'connection-lost'],
  [
    'ends as the disk there is full',
    12,
    `rsync: [receiver] write failed on "/srv/x": No space left on device (28)\n${CLOSED}`,
    'disk-full',
  ],
])('a copy whose connection %s is told as such', async (_, exitCode, stderr, code) => {
  const { run } = recorded({ copied: { exitCode, stderr } });
  const host = await SshHost.open(VPS, { run, interactive: false });
  const copy = async () =>
    expectCopied(host, '/srv', await host.rsync((far) => ['/x', far('/srv/')]), '--dir');
  await expect(copy()).rejects.toMatchObject({ code });
});
