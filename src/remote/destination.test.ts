import { expect, test } from 'vitest';
import { destinationInWords, parseDestination } from './destination.ts';

const nothing = { user: undefined, port: undefined, identityFile: undefined };

test.each([
  ['vps', { ...nothing, host: 'vps' }],
  ['root@vps.example.com', { ...nothing, host: 'vps.example.com', user: 'root' }],
  ['ada@192.0.2.7:2222', { ...nothing, host: '192.0.2.7', user: 'ada', port: 2222 }],
  ['ada@[2001:db8::7]:2222', { ...nothing, host: '2001:db8::7', user: 'ada', port: 2222 }],
  ['2001:db8::7', { ...nothing, host: '2001:db8::7' }],
  ['ssh://ada@vps:22/', { ...nothing, host: 'vps', user: 'ada', port: 22 }],
])('%s is understood', (text, destination) => {
  expect(parseDestination(text)).toEqual(destination);
});

test.each([
  '',
  '-oProxyCommand=touch$IFS/tmp/x',
  'root@-x',
  'a b@host',
  'host:99999',
  'host:/folder',
  'ho st',
  '$(id)@host',
])('%j is refused, as ssh would take it for something else', (text) => {
  expect(parseDestination(text)).toMatch(/^(is not user@host|has the port)/);
});

test.each(['vps', 'ada@192.0.2.7:2222', 'ada@[2001:db8::7]:2222', '2001:db8::7'])(
  '%s is written as it was',
  (text) => {
    const destination = parseDestination(text);
    if (typeof destination === 'string') throw new Error(destination);
    expect(destinationInWords(destination)).toBe(text);
  },
);
