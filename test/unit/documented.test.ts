import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, type ScalarTag } from 'yaml';
import { paths } from '../../src/paths.ts';
import { PINNED, SETTING_NAMES, schema } from '../../src/settings/schema.ts';

const { root } = paths();
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** `NAME=value` lines of .env.dist, those that are commented out included. */
const documented = new Map(
  [...read('.env.dist').matchAll(/^#?([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
);

/** Compose's word for what a later file takes away. */
const RESET: ScalarTag = { tag: '!reset', resolve: () => null };

/** Found out by init-tls or given by Compose: nobody sets them. */
const INTERNAL =
  /^(BUILT_|CACHE$|REDIS_(ADDRESS|USER|PASSWORD|DATABASE)$|LISTEN|HSTS|PROVIDED_DIR|RENEWER_|GATE_|RELAY_|EXPORTER_|MIRROR_AT|STATE_OWNER|ENGINE_|NGINX_ADDRESS|REGISTRY_HTTP_SECRET)/;

test('.env.dist documents every setting there is, and none there is not', () => {
  const settable = SETTING_NAMES.filter((name) => !INTERNAL.test(name));
  expect([...documented.keys()].sort()).toEqual([...settable].sort());
});

test('the defaults that .env.dist shows are the defaults', () => {
  const shown = Object.fromEntries([...documented].filter(([, value]) => value !== ''));
  const { REGISTRY_IMAGE, NGINX_IMAGE, CERTBOT_IMAGE, NODE_IMAGE, REDIS_IMAGE, PROMETHEUS_IMAGE, ...rest } =
    shown;
  expect(schema.parse(rest)).toEqual(schema.parse({}));
  expect({
    registry: REGISTRY_IMAGE,
    nginx: NGINX_IMAGE,
    certbot: CERTBOT_IMAGE,
    node: NODE_IMAGE,
    redis: REDIS_IMAGE,
    prometheus: PROMETHEUS_IMAGE,
  }).toEqual({
    registry: PINNED.registry,
    nginx: PINNED.nginx,
    certbot: PINNED.certbot,
    node: PINNED.node,
    redis: PINNED.redis,
    prometheus: PINNED.prometheus,
  });
});

test('Compose and the Dockerfiles pin the same images', () => {
  const image = (part: string, file = part): string =>
    parse(read(`compose/${file}.yaml`), { customTags: [RESET] }).services[part].image;
  expect(image('registry')).toContain(`:-${PINNED.registry}}`);
  expect(image('nginx')).toContain(`:-${PINNED.nginx}}`);
  expect(image('renewer')).toContain(`:-${PINNED.renewer}}`);
  expect(image('redis', 'cache/stack')).toContain(`:-${PINNED.redis}}`);
  expect(image('gate')).toContain(`:-${PINNED.gate}}`);
  expect(parse(read('compose/mirror.yaml')).services.relay.image).toContain(`:-${PINNED.relay}}`);
  expect(parse(read('compose/mirror.yaml')).services.mirror.image).toBe(
    parse(read('compose/registry.yaml')).services.registry.image,
  );
  const monitoring = parse(read('compose/monitoring.yaml')).services;
  expect(monitoring.exporter.image).toContain(`:-${PINNED.exporter}}`);
  expect(monitoring.prometheus.image).toContain(`:-${PINNED.prometheus}}`);
  expect(read('images/program/Dockerfile')).toContain(`ARG NODE_IMAGE=${PINNED.node}\n`);
});

test('our own images have the version of the package', () => {
  const { version } = JSON.parse(read('package.json'));
  for (const program of ['renewer', 'gate', 'relay', 'exporter'] as const)
    expect(PINNED[program]).toBe(`moorage/${program}:${version}`);
});

test('what the docs have sent into a file comes without the lines that npm prints by itself', () => {
  const lines = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => read(`docs/${name}`).split('\n'));
  expect(lines.filter((line) => /^npm run (?!--silent).* > /.test(line))).toEqual([]);
});

test('no image is pinned to latest', () => {
  for (const reference of Object.values(PINNED)) expect(reference).toMatch(/:[^:]*\d[^:]*$/);
});

test('compose.yaml only includes', () => {
  expect(Object.keys(parse(read('compose.yaml'))).sort()).toEqual(['include', 'name']);
});

test('every npm script that README names is there', () => {
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
  const named = [...read('README.md').matchAll(/npm (?:run )?(init-tls|[a-z:-]+)\b/g)].map(
    ([, name]) => name,
  );
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect([...scripts, 'ci']).toContain(name);
});

test('no document has what a merge left over in it', () => {
  const documents = readdirSync(root, { encoding: 'utf8' }).concat(
    readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
  );
  const pages = documents.filter((name) => name.endsWith('.md'));
  expect(pages).toContain('docs/users.md');
  // A formatter makes a quotation of the last mark.
  expect(pages.filter((page) => /^(<{7} |={7}$|(> ?){7})/m.test(read(page)))).toEqual([]);
});
