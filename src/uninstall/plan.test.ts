import { describe, expect, test } from 'vitest';
import { CHECKOUT, container, file, found, held, image, volume } from '../../test/support/found.ts';
import { Failure } from '../errors.ts';
import { planUninstall } from './plan.ts';

const LEAVE = { purge: false, root: true };
const PURGE = { purge: true, root: true };
const OTHER = '/srv/other';

const answering = (wish: Parameters<typeof held>[0]) => ({ kind: 'answers', held: held(wish) }) as const;
const names = (plan: ReturnType<typeof planUninstall>) => plan.actions.map(({ name }) => name);

const files = {
  data: [{ root: '/mnt/images', trees: [file('/mnt/images/docker/registry/v2')], links: [] }],
  users: [file(`${CHECKOUT}/registry/auth/registry.password`)],
  state: [file(`${CHECKOUT}/var/tls`)],
  settings: [file(`${CHECKOUT}/.env`)],
};

describe('containers', () => {
  const oneShot = { 'moorage.project': 'moorage' };
  test.each([
    ['of this checkout', container('nginx', CHECKOUT), true],
    ['of another checkout of the same name', container('nginx', OTHER), false],
    ['of a checkout whose folder begins alike', container('nginx', `${CHECKOUT}-2`), false],
    ['of nobody’s stack', container('db', CHECKOUT, { labels: {} }), false],
    [
      'of nobody’s stack that reads our files',
      container('backup', CHECKOUT, { labels: {}, sources: [`${CHECKOUT}/var`] }),
      false,
    ],
    [
      'a certbot that a killed run left',
      container('certbot', CHECKOUT, { labels: oneShot, sources: [`${CHECKOUT}/var/certbot/x`] }),
      true,
    ],
    [
      'a certbot of another checkout',
      container('certbot', OTHER, { labels: oneShot, sources: [`${OTHER}/var/certbot/x`] }),
      false,
    ],
    [
      'a stack of another that runs an image that was built here',
      container('gate', OTHER, {
        labels: { ...container('gate', OTHER).labels, 'moorage.checkout': CHECKOUT },
      }),
      false,
    ],
  ])('%s', (_, one, goes) => {
    const plan = planUninstall(found({ engine: answering({ containers: [one] }) }), LEAVE);
    expect(names(plan)).toEqual(goes ? [one.name] : []);
  });
});

describe('networks and volumes', () => {
  const network = { id: 'n', name: 'moorage_frontend', labels: { 'com.docker.compose.project': 'moorage' } };

  test('those of the project go, those of others do not', () => {
    const other = { id: 'o', name: 'other_frontend', labels: { 'com.docker.compose.project': 'other' } };
    const bridge = { id: 'b', name: 'bridge', labels: {} };
    const engine = answering({ networks: [bridge, network, other], volumes: [volume('metrics', 'other')] });
    expect(names(planUninstall(found({ engine }), LEAVE))).toEqual(['moorage_frontend']);
  });

  test('where another checkout has the same project they are its own', () => {
    const containers = [container('nginx', OTHER)];
    const engine = answering({ containers, networks: [network], volumes: [volume('metrics')] });
    expect(names(planUninstall(found({ engine }), PURGE))).toEqual([]);
  });

  test('without settings the containers say what the project is called', () => {
    const engine = answering({ containers: [container('nginx', CHECKOUT)], networks: [network] });
    expect(names(planUninstall(found({ engine, project: undefined }), LEAVE))).toEqual([
      'nginx',
      'moorage_frontend',
    ]);
  });

  test('without settings and containers nothing is known to be ours', () => {
    const engine = answering({ networks: [network], volumes: [volume('metrics')] });
    expect(names(planUninstall(found({ engine, project: undefined }), PURGE))).toEqual([]);
  });

  test('what Prometheus has seen goes with --purge alone, and what somebody added never', () => {
    const volumes = [volume('gate-socket'), volume('prometheus-data'), volume('mine')];
    const engine = answering({ volumes });
    const plan = planUninstall(found({ engine }), LEAVE);
    expect(names(plan)).toEqual(['moorage_gate-socket']);
    expect(plan.kept.map(({ what }) => what)).toEqual([
      'volume moorage_prometheus-data',
      'volume moorage_mine',
    ]);
    expect(names(planUninstall(found({ engine }), PURGE))).toEqual([
      'moorage_gate-socket',
      'moorage_prometheus-data',
    ]);
  });
});

test('files stay without --purge, and it is said which', () => {
  const plan = planUninstall(found(files), LEAVE);
  expect(plan.actions).toEqual([]);
  expect(plan.kept.map(({ what }) => what)).toEqual([
    'images: /mnt/images/docker/registry/v2',
    `users: ${CHECKOUT}/registry/auth/registry.password`,
    `certificates, CA and state: ${CHECKOUT}/var/tls`,
    `settings: ${CHECKOUT}/.env`,
  ]);
});

test('who writes ends first, and .env, which names the rest, goes last', () => {
  const made = [{ path: '/etc/docker/certs.d/r/ca.crt', purpose: 'trust', contents: [], folders: [] }];
  const images = [image('moorage/gate:1', { 'moorage.checkout': CHECKOUT })];
  const engine = answering({
    containers: [container('nginx', CHECKOUT)],
    volumes: [volume('metrics')],
    images,
  });
  const plan = planUninstall(found({ ...files, engine, made, units: ['moorage-renewer.service'] }), PURGE);
  expect(plan.actions.map(({ kind }) => kind)).toEqual([
    ...['unit', 'container', 'volume', 'made', 'data', 'users', 'state', 'image', 'settings'],
  ]);
});

test('links are not gone over, and what a setting names as the person’s own stays', () => {
  const mine = `${CHECKOUT}/var/my.pem`;
  const there = found({
    own: [mine],
    state: [file(mine), { ...file(`${CHECKOUT}/var`), link: true }],
    data: [{ root: '/mnt/images', trees: [], links: ['/mnt/images/docker'] }],
  });
  const plan = planUninstall(there, PURGE);
  expect(plan.actions).toEqual([]);
  expect(plan.kept.map(({ what }) => what)).toEqual(['/mnt/images/docker', `${CHECKOUT}/var`, mine]);
});

test('a bucket and backups are never emptied, and that is said', () => {
  const values = { STORAGE: 's3', S3_BUCKET: 'images', BACKUP_TARGET: '/mnt/backup' };
  const plan = planUninstall(found({ values }), PURGE);
  expect(plan.kept.map(({ what }) => what)).toEqual([
    'images in the bucket images',
    'backups (BACKUP_TARGET)',
  ]);
});

test.each([{ BACKUP_TARGET: '/mnt/backup', BACKUP_PASSWORD: 'made' }, { BACKUP_PASSWORD: 'made' }])(
  'before the only password of the backups goes with .env, that is said: %j',
  (values) => {
    const why = (wish: typeof PURGE) =>
      planUninstall(found({ values, settings: files.settings }), wish).kept.map((each) => each.why);
    expect(why(PURGE)).toEqual([expect.stringMatching(/keep a copy of BACKUP_PASSWORD/)]);
    expect(why(LEAVE).join()).not.toMatch(/BACKUP_PASSWORD/);
  },
);

test('a bucket is nobody’s to remove while the registry on another machine has it', () => {
  const bucket = { STORAGE: 's3', S3_BUCKET: 'images' };
  const why = (movedTo: string | undefined) =>
    planUninstall(found({ values: bucket, movedTo }), PURGE).kept.map((each) => each.why);
  expect(why(undefined)).toEqual([expect.stringContaining('remove it with your provider’s own tool')]);
  expect(why('root@new')).toEqual(['the registry on root@new has them']);
});

test('an ordinary user is told the commands for a unit', () => {
  const plan = planUninstall(found({ units: ['moorage-renewer.service'] }), { purge: false, root: false });
  expect(plan.actions).toEqual([]);
  expect(plan.remains[0]?.command).toContain('sudo systemctl disable --now moorage-renewer.service');
});

describe('an engine that does not answer', () => {
  const away = { kind: 'away', failure: new Failure('engine-unreachable', 'nobody', 'start it') } as const;
  test('remains to be looked at, and nothing that containers may use goes', () => {
    const plan = planUninstall(found({ ...files, engine: away }), PURGE);
    expect(plan.actions).toEqual([]);
    expect(plan.remains).toHaveLength(2);
  });

  test('that is not installed any more keeps nothing from going', () => {
    const plan = planUninstall(found({ ...files, engine: { kind: 'none' } }), PURGE);
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['data', 'users', 'state', 'settings']);
    expect(plan.remains).toEqual([]);
  });
});

describe('--purge is refused', () => {
  const refused = (wish: Parameters<typeof found>[0], root = true) => {
    expect(() => planUninstall(found({ ...files, ...wish }), { purge: true, root })).toThrow(Failure);
    expect(() => planUninstall(found({ ...files, ...wish }), { purge: false, root })).not.toThrow();
  };

  test('where another container has the folder of the images, or a folder in it', () => {
    for (const source of ['/mnt/images', '/mnt/images/docker'])
      refused({
        engine: answering({ containers: [container('x', OTHER, { labels: {}, sources: [source] })] }),
      });
  });

  test('where another checkout keeps its images in the same folder, though it does not run', () => {
    refused({ otherData: [{ folder: '/mnt/images', checkout: OTHER }] });
  });

  test('where a unit goes on writing', () => refused({ units: ['moorage-renewer.service'] }, false));

  test('and not where the other container has a folder whose name begins alike', () => {
    const containers = [container('x', OTHER, { labels: {}, sources: ['/mnt/images-2'] })];
    expect(names(planUninstall(found({ ...files, engine: answering({ containers }) }), PURGE))).toHaveLength(
      4,
    );
  });
});

test('a move of images that was cut off is ended by the command that ends it', () => {
  const halfDone = [
    { command: 'storage', since: new Date(0), step: 'copy', facts: {}, reached: new Date(0) },
  ];
  expect(planUninstall(found({ halfDone }), LEAVE).kept).toContainEqual({
    what: 'an interrupted storage',
    why: expect.stringContaining('`npm run storage -- move`'),
  });
});
