import { expect, test } from 'vitest';
import { parseRegistryName } from './registry-name.ts';

test.each([
  ['R.lan', { name: 'r.lan', port: 443, authority: 'r.lan' }],
  ['r.lan:443', { authority: 'r.lan' }],
  ['r.lan:8443', { name: 'r.lan', port: 8443, authority: 'r.lan:8443' }],
  ['10.0.0.1:5000', { name: '10.0.0.1', authority: '10.0.0.1:5000' }],
  ['[fd00::1]', { name: 'fd00::1', port: 443, authority: '[fd00::1]' }],
  ['[fd00::1]:5000', { name: 'fd00::1', port: 5000, authority: '[fd00::1]:5000' }],
])('%s', (text, expected) => {
  expect(parseRegistryName(text)).toMatchObject(expected);
});

test.each([
  '',
  'https://r.lan',
  'r.lan/app',
  'r.lan:0',
  'r.lan:99999',
  'r lan',
  '../etc',
  '[r.lan',
  'a:b:c',
  "r'.lan",
])('%j is none', (text) => expect(typeof parseRegistryName(text)).toBe('string'));
