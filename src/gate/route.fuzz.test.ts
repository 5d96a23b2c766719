import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goRouter } from '../../test/support/go-router.ts';
import { type Route, readRoute } from './route.ts';

const RUNS = 20_000;
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'];
const DIGESTS = [`sha256:${'0a'.repeat(32)}`, `sha512:${'f'.repeat(128)}`, `sha384:${'1'.repeat(96)}`];

const word = fc.constantFrom(
  'v2',
  '_catalog',
  'tags',
  'list',
  'manifests',
  'blobs',
  'uploads',
  'referrers',
  ...DIGESTS,
  ...[
    '',
    '.',
    '..',
    'a',
    'team',
    'v1.0',
    'a_b',
    'a__b',
    'a--b',
    'A',
    'x.y:50',
    '[::1]',
    'sha256:ab',
    '_',
    '=',
  ],
);
const character = fc.constantFrom(..."/?&;=%#\\+.-_:~@!*'()[]{}|^ \t\r\n\0aZ0ä\u2028\u{1F600}");
const rough = fc.oneof(
  word,
  character,
  fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
  fc.constantFrom('%2f', '%2F', '%2e', '%61', '%25', '%00', '%C3%A4', '%', '%4', '%%'),
);

/** Mostly something that looks like a route, then ever so often something odd in it. */
const path = fc.array(word, { maxLength: 7 }).map((words) => `/v2/${words.join('/')}`);
const plausible = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'team', 'tags', 'list', 'manifests', 'blobs', 'uploads', 'a_b'), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom(
      'tags/list',
      'manifests/v1',
      ...DIGESTS.flatMap((digest) => [`manifests/${digest}`, `blobs/${digest}`, `referrers/${digest}`]),
      'blobs/uploads/',
      'blobs/uploads/0-a_=.b',
    ),
  )
  .map(([name, end]) => `/v2/${name.join('/')}/${end}`);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom('from', 'mount', '%66rom', 'fro%6D', 'digest', 'n', 'last', '', 'fr+om'),
      fc.constantFrom('', '=', '=='),
      fc.oneof(fc.constantFrom('a', 'b%2Fc', 'b/c', '', 'B', '%', '+', ';', ...DIGESTS), character),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('')).join('&')}`));
const uri = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: plausible },
      path,
      fc.array(rough).map((parts) => parts.join('')),
    ),
    query,
    fc.option(fc.tuple(fc.nat(60), fc.boolean(), rough), { freq: 2 }),
  )
  .map(([start, end, odd]) => {
    const whole = start + end;
    if (odd === null) return whole;
    const [at, replaces, text] = odd;
    return whole.slice(0, at) + text + whole.slice(replaces ? at + 1 : at);
  });
/** Any character may be sent escaped. */
const escaped = fc.tuple(uri, fc.array(fc.nat(80), { maxLength: 3 })).map(([text, places]) =>
  places.reduce((whole, at) => {
    const code = whole.charCodeAt(at);
    if (Number.isNaN(code) || code > 127 || whole.charAt(at) === '%') return whole;
    return `${whole.slice(0, at)}%${code.toString(16).padStart(2, '0')}${whole.slice(at + 1)}`;
  }, text),
);
const method = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...METHODS) }, fc.string());

test('whatever is accepted goes to the same handler, with the same names, in distribution', () => {
  let accepted = 0;
  fc.assert(
    fc.property(method, fc.oneof(uri, escaped), (verb, target) => {
      const result = readRoute(verb, target);
      if (!result.ok) return;
      accepted += 1;
      const routed = goRouter(target);
      if (result.route.kind === 'referrers') expect(routed).toBeUndefined();
      else expect(asGo(result.route)).toEqual({ ...routed, form: undefined });
      if (result.route.kind === 'upload-start') expectNoOtherSource(result.route, routed?.form);
    }),
    { numRuns: RUNS },
  );
  expect(accepted, 'the generator makes enough good ones').toBeGreaterThan(RUNS / 20);
});

test('anything at all is answered', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (verb, target) => {
      for (const text of [target, `/v2/${target}`, `/v2/a/tags/list?${target}`])
        expect(typeof readRoute(verb, text).ok).toBe('boolean');
    }),
    { numRuns: 5_000 },
  );
});

test.each(['a', '-', 'a-', 'a/', '_', '%61', 'a%2f', '/', '&', 'from=a&', '..', 'a.'])(
  'a run of 200,000 times %s is answered: what takes the square of it would exceed the time of a test',
  (piece) => {
    const long = piece.repeat(200_000);
    for (const text of [
      `/v2/${long}!/tags/list`,
      `/v2/a/blobs/uploads/?${long}`,
      `/v2/a/blobs/uploads/${long}`,
    ])
      expect(typeof readRoute('POST', text).ok).toBe('boolean');
  },
);

function expectNoOtherSource(
  route: Route & { kind: 'upload-start' },
  form: ReadonlyMap<string, string> | undefined,
): void {
  const from = form?.get('from') ?? '';
  if (from !== '') expect(route.mount?.from).toContain(from);
  if (from !== '' && (form?.get('mount') ?? '') !== '') expect(route.mount?.digest).toBe(form?.get('mount'));
}

function asGo(route: Route) {
  const form = undefined;
  switch (route.kind) {
    case 'base':
    case 'catalog':
      return { route: route.kind, form };
    case 'tags':
      return { route: 'tags', name: route.repository, form };
    case 'manifest': {
      const { reference } = route;
      const digest = reference.kind === 'digest';
      const variable = digest ? reference.digest : reference.tag;
      return { route: 'manifest', name: route.repository, variable, digest, form };
    }
    case 'blob':
      return { route: 'blob', name: route.repository, variable: route.digest, digest: true, form };
    case 'upload-start':
      return { route: 'blob-upload', name: route.repository, form };
    case 'upload':
      return {
        route: 'blob-upload-chunk',
        name: route.repository,
        variable: route.id,
        digest: false,
        form,
      };
    case 'referrers':
      return undefined;
  }
}
