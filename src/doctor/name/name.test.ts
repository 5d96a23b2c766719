import { expect, test } from 'vitest';
import type { Finding } from '../finding.ts';
import { judgeCaa } from './caa.ts';
import { judgeRecords, type Lead } from './dns.ts';
import { judgeOutside, type OutsideFacts } from './outside.ts';
import { judgePort, type PortFacts } from './ports.ts';

const NAME = 'registry.example.com';
const PUBLIC = ['127.0.0.1', '203.0.113.7', '2001:db8::7'];
const BEHIND_NAT = ['127.0.0.1', '192.168.1.5'];

const lead = (address: string, answer: Lead['answer'], own = false): Lead => ({ address, answer, own });
const records = (leads: Lead[], own = PUBLIC, proxied = false) => judgeRecords(NAME, leads, own, proxied);
const port = (facts: Partial<PortFacts>) =>
  judgePort({
    port: 443,
    setting: 'HTTPS_PORT',
    holder: 'nginx',
    wanted: PUBLIC,
    answered: PUBLIC,
    ...facts,
  });
const outside = (answer: OutsideFacts['answer'], own = false, proxied = false) =>
  judgeOutside([{ name: NAME, address: '203.0.113.7', port: 443, own, answer }], proxied);

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['no record', records([]), 'broken', /neither an A nor an AAAA/],
  ['records of this machine', records([lead('203.0.113.7', 'ours', true)]), 'fine'],
  ['one of this machine while it is down', records([lead('203.0.113.7', 'silent', true)]), 'fine'],
  ['NAT that leads back', records([lead('203.0.113.9', 'ours')], BEHIND_NAT), 'fine'],
  ['NAT that does not', records([lead('203.0.113.9', 'silent')], BEHIND_NAT), 'unknown', /behind NAT/],
  ['somebody else', records([lead('203.0.113.9', 'other')], BEHIND_NAT), 'broken', /somebody else/],
  [
    'nobody, though this machine is public',
    records([lead('203.0.113.9', 'silent')]),
    'broken',
    /none of this machine/,
  ],
  [
    'an AAAA record from before the move',
    records([lead('203.0.113.7', 'ours', true), lead('2001:db8::9', 'silent')], BEHIND_NAT),
    'broken',
    /2001:db8::9 \(AAAA\)/,
  ],
  ['those of a proxy', records([lead('203.0.113.9', 'other')], PUBLIC, true), 'fine'],
  ['a port on every address', port({}), 'fine'],
  ['a port of nobody', port({ holder: undefined, answered: [] }), 'broken', /nobody listens on port 443/],
  ['a port of somebody', port({ holder: { other: 'apache2 (process 7)' } }), 'broken', /taken by apache2/],
  ['a port that is silent', port({ answered: [] }), 'broken', /silent on 127\.0\.0\.1, 203/],
  ['a port without IPv6', port({ answered: PUBLIC.slice(0, 2) }), 'warning', /silent on 2001:db8::7/],
  ['reached by its public address', outside('ours'), 'fine'],
  [
    'its own address is silent',
    outside('silent', true),
    'broken',
    /nobody answers at 203\.0\.113\.7 port 443/,
  ],
  ['behind NAT without hairpin', outside('silent'), 'unknown', /says nothing/],
  ['another one has the challenge', outside('other'), 'broken', /something else/],
  ['a proxy answers', outside('other', false, true), 'fine'],
  ['no address', judgeOutside([], false), 'unknown'],
  ['the CA may', judgeCaa([], ['ca.example']), 'fine'],
  ['the CA may not', judgeCaa(['the CAA records allow only x'], ['ca.example']), 'broken', /allow only x/],
  ['a CA without a name', judgeCaa([], []), 'unknown'],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

test('what is fine is no promise about firewalls further out', () => {
  expect(outside('ours').detail).toMatch(/as asked from this machine itself; whether a firewall/);
});

test('the record to add names the CA', () => {
  expect(judgeCaa(['x'], ['letsencrypt.org']).fix?.say).toBe('Add the record: CAA 0 issue "letsencrypt.org"');
});
