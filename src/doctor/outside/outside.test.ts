import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from '../../certificates/x509.ts';
import type { Reply } from '../../registry/exchange.ts';
import type { Finding } from '../finding.ts';
import { parseAddress, urlOf } from './address.ts';
import { judgePlain } from './plain.ts';
import { judgeShown } from './served.ts';
import { judgeTime } from './subject.ts';
import { judgeName, judgePort, type Way } from './way.ts';
import { linesOf } from './welcome.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const ADDRESS = { name: 'r.example', port: 8443, httpPort: undefined };
const URL_ = 'https://r.example:8443';

describe('an address', () => {
  test.each([
    ['r.example', { name: 'r.example', port: 443, httpPort: 80 }],
    ['https://r.example:8443/', ADDRESS],
    ['[2001:db8::7]:8443', { name: '2001:db8::7', port: 8443, httpPort: undefined }],
    ['2001:db8::7', { name: '2001:db8::7', port: 443, httpPort: 80 }],
  ])('%s is understood', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each(['http://r.example', 'r.example/team', 'r.example:0', 'r.example:99999', 'r ex', ''])(
    '%j is refused',
    (text) => {
      expect(parseAddress(text)).toEqual(expect.any(String));
    },
  );

  test('is a URL for people', () => {
    expect(urlOf(ADDRESS, false)).toBe(URL_);
    expect(urlOf({ name: '2001:db8::7', port: 443 }, false)).toBe('https://[2001:db8::7]');
    expect(urlOf({ name: 'r.example', port: 80 }, true)).toBe('http://r.example');
  });
});

const tried = (address: string, answers: boolean) => ({ address, answers });
const way = (changes: Partial<Way>): Way => {
  const both = [tried('192.0.2.7', true)];
  return { host: 'r.example', tried: both, leads: both, detour: undefined, ...changes };
};
const answered = (date: string | undefined) => {
  const reply: Reply = { status: 401, headers: { date }, text: '', bytes: 0, digest: '', sent: 0 };
  return { reply, at: NOW.getTime() };
};
const plain = (status: number, location?: string, hsts?: string) =>
  judgePlain(80, { status, location, body: '' }, URL_, hsts);

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['a name', judgeName(ADDRESS, way({})), 'fine'],
  ['an address', judgeName({ ...ADDRESS, name: '192.0.2.7' }, way({})), 'fine'],
  ['a name that leads nowhere', judgeName(ADDRESS, way({ leads: [] })), 'broken', /leads nowhere from here/],
  [
    'one that does not lead there yet',
    judgeName(ADDRESS, way({ leads: [], host: '192.0.2.7', detour: 'r.example leads nowhere from here' })),
    'warning',
    /^r\.example leads nowhere from here; asked at 192\.0\.2\.7$/,
  ],
  ['a port', judgePort(ADDRESS, way({})), 'fine'],
  ['a port behind a firewall', judgePort(ADDRESS, way({ tried: [tried('192.0.2.7', false)] })), 'broken'],
  [
    'an old AAAA record',
    judgePort(ADDRESS, way({ tried: [tried('192.0.2.7', true), tried('2001:db8::9', false)] })),
    'warning',
    /silent on 2001:db8::9$/,
  ],
  ['the same time', judgeTime(answered('Sat, 21 Nov 2026 12:00:30 GMT'), 'r.example'), 'fine'],
  [
    'another time',
    judgeTime(answered('Sat, 21 Nov 2026 12:10:00 GMT'), 'r.example'),
    'warning',
    /^this machine is 10 minutes behind r\.example$/,
  ],
  ['no time', judgeTime(answered(undefined), 'r.example'), 'unknown', /does not say/],
  ['a redirect', plain(308, `${URL_}/v2/`), 'fine'],
  ['nothing at that port', judgePlain(80, undefined, URL_, undefined), 'fine'],
  ['a port that serves nothing', plain(421), 'fine'],
  ['a login in the clear', plain(401), 'broken', /in the clear/],
  ['a registry in the clear', plain(200), 'broken', /in the clear/],
  [
    'a redirect without its port',
    plain(301, 'https://r.example/v2/'),
    'warning',
    /leads on to https:\/\/r\.example instead/,
  ],
  ['a port that nobody knows', judgePlain(undefined, undefined, URL_, undefined), 'skipped', /not known/],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

test('what browsers keep to is told', () => {
  expect(plain(308, `${URL_}/`, 'max-age=31536000').detail).toMatch(/TLS for a year \(HSTS\)$/);
});

test('lines come as they are whole, and end with a stream that breaks off', async () => {
  async function* broken() {
    yield Buffer.from('one\ntw');
    yield Buffer.from('o\nthr');
    throw new Error('the line is dead');
  }
  const lines: string[] = [];
  for await (const line of linesOf(broken())) lines.push(line);
  expect(lines).toEqual(['one', 'two']);
});

describe('a certificate that clients here refuse', () => {
  const system = { kind: 'system' } as const;
  const fixOf = async (distrust: string, name = 'r.example') => {
    const keys = await newKeyPair();
    const ca = await makeAuthority('a CA', keys, new Date('2026-11-01'), 100);
    const issuer = await readAuthority(ca, await keyToPem(keys.privateKey));
    const { certificate } = await makeLeaf(['r.example'], new Date('2026-11-20'), 90, issuer);
    const chain = [new X509Certificate(certificate)] as const;
    const shown = { name, address: '192.0.2.7', trust: system, now: NOW };
    return judgeShown({ ...shown, served: { kind: 'shown', chain, distrust } }).fix?.say;
  };

  test('by a private CA: that is to be given, and nothing there is to be renewed', async () => {
    expect(await fixOf('SELF_SIGNED_CERT_IN_CHAIN')).toMatch(/^If its CA is one of your own, .*--ca FILE.*$/);
  });

  test('for another name: nothing there is to be renewed', async () => {
    const fix = await fixOf('SELF_SIGNED_CERT_IN_CHAIN', 'other.example');
    expect(fix).toMatch(/^Ask by a name that it has\. If other\.example is to be one: .*EXTRA_DOMAINS/);
  });

  test('alone, it may lack what is in between: the machine itself says so', async () => {
    const fix = await fixOf('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(fix).toMatch(/--ca FILE.*\n.*public.*on that machine npm run doctor/);
    expect(fix).not.toContain('renew');
  });
});
