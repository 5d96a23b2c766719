import { lstat, mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hereAsThere } from '../../test/support/here-as-there.ts';
import { RecordedHost } from '../../test/support/recorded-host.ts';
import { paths } from '../paths.ts';
import type { RemoteHost } from '../remote/host.ts';
import { settingsElsewhere } from '../settings/load.ts';
import { expectNamedFiles, filesToWrite, writeFar, writeSettings } from './far-files.ts';

const PLACE = { name: 'web1', folder: '/srv/moorage' };

/** On a machine that has none of the files. */
async function named(given: Readonly<Record<string, string>>): Promise<RecordedHost> {
  const host = new RecordedHost((line) => ({
    stdout: line.split(' sh ').at(-1)?.replaceAll(' ', '\n') ?? '',
  }));
  const all = { DOMAIN: 'r.example', EMAIL: 'ops@example.com', ...given };
  const settings = settingsElsewhere(paths(PLACE.folder), all);
  await expectNamedFiles(host, PLACE, { given: all, settings });
  return host;
}

test('files that settings name and that are not there are told before anything changes, each with its setting', async () => {
  const given = { TLS_ISSUER: 'provided', TLS_CERT_FILE: '/etc/tls/r.crt', TLS_KEY_FILE: '/etc/tls/r.key' };
  await expect(named(given)).rejects.toMatchObject({
    problems: [
      { input: 'TLS_CERT_FILE (web1)', message: 'there is no file "/etc/tls/r.crt" there' },
      { input: 'TLS_KEY_FILE (web1)', message: 'there is no file "/etc/tls/r.key" there' },
    ],
  });
});

test('of the folder there only what comes with the project is taken for there', async () => {
  const hook = { ACME_CHALLENGE: 'dns-01', ACME_DNS_HOOK: '/srv/moorage/dns-hooks/mine.sh' };
  await expect(named(hook)).rejects.toMatchObject({
    problems: [
      { input: 'ACME_DNS_HOOK (web1)', message: 'there is no file "/srv/moorage/dns-hooks/mine.sh" there' },
    ],
  });
});

test('neither what comes with the project nor what nobody will read has to be there', async () => {
  const hook = { ACME_CHALLENGE: 'dns-01', ACME_DNS_HOOK: '/srv/moorage/dns-hooks/cloudflare.mjs' };
  expect((await named({ ...hook, IMAGES_FILE: '/mnt/images.tar' })).ran).toEqual([]);
  const archive = { IMAGES: 'load', IMAGES_FILE: '/srv/moorage/var/images.tar' };
  expect((await named(archive)).ran).toEqual([]);
});

test('a file there is replaced for its owner alone, and one that is a link stays one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far '));
  const [file, link] = [join(folder, 'settings'), join(folder, '.env')];
  await writeFile(file, 'DOMAIN=old.example\n', { mode: 0o644 });
  await symlink(file, link);
  await writeFar(hereAsThere, link, 'DOMAIN=new.example\n');
  expect(await readFile(file, 'utf8')).toBe('DOMAIN=new.example\n');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
});

test('cut off between two files, .env never names one that is not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far '));
  let writes = 0;
  const cut: RemoteHost = {
    ...hereAsThere,
    run: async (command, options = {}) => {
      if (options.input !== undefined) writes += 1;
      if (writes > 1) throw new Error('cut off');
      return hereAsThere.run(command, options);
    },
  };
  const given = { DOMAIN: 'r.example', EMAIL: 'ops@example.com', ACME_CA_BUNDLE: './certs/ca.pem' };
  const settings = settingsElsewhere(paths(folder), given);
  const files = [{ path: 'certs/ca.pem', content: 'PEM' }];
  const plan = { text: 'ACME_CA_BUNDLE=./certs/ca.pem\n', changed: [], given, settings, files };
  await expect(writeSettings(cut, folder, plan)).rejects.toThrow('cut off');
  expect(await readdir(folder)).toEqual(['certs']);
  await writeSettings(hereAsThere, folder, plan);
  expect((await readdir(folder)).sort()).toEqual(['.env', 'certs']);
});

test('a file that settings name is written again when its content is another, whatever the settings say', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'far '));
  const plan = (content: string) => ({ files: [{ path: 'ca.pem', content }] });
  expect(await filesToWrite(hereAsThere, folder, plan('PEM\n'))).toHaveLength(1);
  await writeFile(join(folder, 'ca.pem'), 'PEM');
  expect(await filesToWrite(hereAsThere, folder, plan('PEM\n'))).toEqual([]);
  expect(await filesToWrite(hereAsThere, folder, plan('another\n'))).toHaveLength(1);
});
