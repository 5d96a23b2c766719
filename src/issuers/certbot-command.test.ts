import { expect, test } from 'vitest';
import { certbotArguments, directorySlug, iniFile } from './certbot-command.ts';

const request = {
  directory: 'https://acme.example/dir',
  names: ['a.example', 'b.example'],
  email: undefined,
  profile: undefined,
  rehearsal: false,
};

test('each name is an argument of its own, and the lineage has one fixed name', () => {
  const args = certbotArguments(request);
  expect(args.join(' ')).toContain('--domain a.example --domain b.example');
  expect(args.join(' ')).toContain('--cert-name registry');
  expect(args).toContain('--non-interactive');
});

test('an account without an e-mail address is said to be one', () => {
  expect(certbotArguments(request)).toContain('--register-unsafely-without-email');
  expect(certbotArguments({ ...request, email: 'a@b.example' }).join(' ')).toContain('--email a@b.example');
});

test('a rehearsal keeps nothing', () => {
  const args = certbotArguments({ ...request, rehearsal: true });
  expect(args).toContain('--dry-run');
  expect(args).not.toContain('--force-renewal');
});

test('two directories never share a folder', () => {
  const slugs = [
    'https://a.example/dir',
    'https://a.example/dir2',
    'https://a.example:14000/dir',
    'https://b.example/dir',
  ];
  expect(new Set(slugs.map((url) => directorySlug({ url }))).size).toBe(slugs.length);
  for (const url of slugs) expect(directorySlug({ url })).toMatch(/^[A-Za-z0-9.-]+$/);
});

test('a profile is preferred, and not required', () => {
  const args = certbotArguments({ ...request, profile: 'shortlived' });
  expect(args.join(' ')).toContain('--preferred-profile shortlived');
  expect(certbotArguments(request)).not.toContain('--preferred-profile');
});

test('the key of an external account is in a file, and never an argument', () => {
  const externalAccount = { kid: 'kid-1', hmacKey: 'c2VjcmV0' };
  expect(iniFile({ externalAccount })).toBe('eab-kid = kid-1\neab-hmac-key = c2VjcmV0\n');
  expect(iniFile({ externalAccount: undefined })).toBe('');
});
