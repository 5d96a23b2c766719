import { expect, test } from 'vitest';
import { WrongInput } from '../../errors.ts';
import { limitTo } from './limit.ts';
import { expandHosts } from './ranges.ts';
import { parseInventory } from './read.ts';

const INI = `
# the registries of two offices
lonely ansible_host=192.0.2.9 domain=lonely.example.com

[berlin]
one.example.com ansible_user=root domain=one.example.com  # the first
two ansible_host="192.0.2.2" ansible_port=2222 domain=two.example.com https_port=9443

[paris:hosts]
par[01:02].example.com

[offices:children]
berlin
paris

[offices:vars]
HTTPS_PORT=8443
with=cacerts
ansible_python_interpreter=/usr/bin/python3
email = "ops@example.com"   # who is told

[berlin:vars]
dir=/srv/registry
`;

const YAML = `
all:
  children:
    offices:
      vars:
        HTTPS_PORT: 8443
        with: [cacerts]
        email: ops@example.com
      children:
        berlin:
          hosts:
            one.example.com: { ansible_user: root, domain: one.example.com }
            two:
              ansible_host: 192.0.2.2
              ansible_port: 2222
              domain: two.example.com
              https_port: 9443
          vars:
            dir: /srv/registry
        paris:
          hosts:
            par[01:02].example.com:
  hosts:
    lonely: { ansible_host: 192.0.2.9, domain: lonely.example.com }
`;

const way = { user: undefined, port: undefined, identityFile: undefined };

test.each([
  ['INI', INI, 'hosts.ini'],
  ['YAML', YAML, 'hosts.yml'],
])(
  '%s: a host has what its groups say, the inner ones over the outer, and its own over all',
  (_, text, file) => {
    const targets = new Map(parseInventory(text, file).map((target) => [target.name, target]));
    expect([...targets.keys()].sort()).toEqual([
      'lonely',
      'one.example.com',
      'par01.example.com',
      'par02.example.com',
      'two',
    ]);
    expect(targets.get('lonely')).toMatchObject({
      destination: { ...way, host: '192.0.2.9' },
      variables: { folder: undefined, settings: { DOMAIN: 'lonely.example.com' }, extras: new Set() },
    });
    expect(targets.get('one.example.com')).toMatchObject({
      destination: { ...way, host: 'one.example.com', user: 'root' },
      groups: ['all', 'offices', 'berlin'],
      variables: {
        folder: '/srv/registry',
        settings: { DOMAIN: 'one.example.com', HTTPS_PORT: '8443', EMAIL: 'ops@example.com' },
        extras: new Set(['cacerts']),
      },
    });
    expect(targets.get('two')).toMatchObject({
      destination: { ...way, host: '192.0.2.2', port: 2222 },
      variables: { settings: { HTTPS_PORT: '9443' } },
    });
    expect(targets.get('par02.example.com')).toMatchObject({ groups: ['all', 'offices', 'paris'] });
  },
);

test('all is above every group, whatever that is called, and of equals the later one by Ansible’s order wins', () => {
  const text = '[all:vars]\nhttps_port=1\n[africa]\nh\n[africa:vars]\nhttps_port=2\n';
  const [one] = parseInventory(text, 'hosts.ini');
  expect(one).toMatchObject({ groups: ['all', 'africa'], variables: { settings: { HTTPS_PORT: '2' } } });
  const [other] = parseInventory('[eu_west]\nh\n[eu1]\nh\n[Eu]\nh\n', 'hosts.ini');
  expect(other?.groups).toEqual(['all', 'Eu', 'eu1', 'eu_west']);
});

test.each([
  ['hosts.ini', 'a ansible_port=1\nb\n[g]\na\n[ungrouped:vars]\nansible_user=ada\n'],
  [
    'hosts.yml',
    'all:\n  hosts: { a: , b: }\ng:\n  hosts: { a: }\nungrouped:\n  vars: { ansible_user: ada }\n',
  ],
])('%s: ungrouped is who is in no other group, wherever it is named first', (file, text) => {
  const [a, b] = parseInventory(text, file);
  expect([a?.groups, b?.groups]).toEqual([
    ['all', 'g'],
    ['all', 'ungrouped'],
  ]);
  expect([a?.destination.user, b?.destination.user]).toEqual([undefined, 'ada']);
});

test('what a host says itself wins however it is written, and what is between it and all', () => {
  const text =
    '[all:vars]\nhttps_port=1\n[g]\nh https_port=3\n[g:vars]\nHTTPS_PORT=2\nansible_port=2200\n[g]\nweb:2222 ansible_host=192.0.2.7\n';
  const [h, web] = parseInventory(text, 'hosts.ini');
  expect(h?.variables.settings).toEqual({ HTTPS_PORT: '3' });
  expect(h?.destination).toEqual({ ...way, host: 'h', port: 2200 });
  expect(web?.destination).toEqual({ ...way, host: '192.0.2.7', port: 2222 });
});

function problemsOf(text: string, file: string): string[] {
  try {
    parseInventory(text, file);
  } catch (error) {
    if (error instanceof WrongInput)
      return error.problems.map(({ input, message }) => `${input}: ${message}`);
    throw error;
  }
  return [];
}

test.each([
  [
    'a variable that is no setting',
    'a domian=x',
    'hosts.ini:1: domian is not a setting, nor dir or with; there is domain',
  ],
  ['a word that is not name=value', 'a domain', 'hosts.ini:1: domain is not name=value'],
  ['a quote that is not closed', 'a domain="x', 'hosts.ini:1: has a " that is not closed'],
  [
    'a section that is none',
    '\n[a:b]\nc',
    'hosts.ini:2: [a:b] is not a section; write [group], [group:vars] or [group:children]',
  ],
  [
    'a host that ssh would take for an option',
    '-oProxyCommand=x',
    'hosts.ini:1: -oProxyCommand stands where a host should; variables of a group go under [ungrouped:vars]',
  ],
  [
    'an address that is none',
    'a ansible_host=-v',
    'hosts.ini:1: -v is not user@host: that is no name or address of a host',
  ],
  ['a port that is none', 'a ansible_port=ssh', 'hosts.ini:1: ssh is not a port number'],
  [
    'another connection than ssh',
    'a ansible_connection=local',
    'hosts.ini:1: ansible_connection=local: Moorage goes by ssh alone',
  ],
  [
    'a template',
    "a domain='{{ inventory_hostname }}'",
    'hosts.ini:1: domain has a template or a line break in it; Moorage takes values as they are',
  ],
  [
    'a folder that is not one of its own',
    'a dir=/srv',
    'hosts.ini:1: dir=/srv is too near to the root of the system; right would be /srv/moorage',
  ],
  [
    'an extra that there is not',
    'a with=cacert',
    'hosts.ini:1: with=cacert may only have cacerts and proxy in it',
  ],
  ['a generated setting', 'a state_owner=0:0', 'hosts.ini:1: state_owner is not a setting, nor dir or with'],
  ['a value that can’t be', 'a http_port=99999', 'hosts.ini:1: HTTP_PORT "99999" is not between 1 and 65535'],
  [
    'a slip on the way there',
    'a ansible_usr=root',
    'hosts.ini:1: ansible_usr is unknown; there is ansible_user',
  ],
  ['a group that is nowhere', '[a:children]\nb\n[c]\nh', 'hosts.ini:2: there is no group b'],
  [
    'variables of a group that is nowhere, as of one that is misspelled',
    '[registires:vars]\nhttps_port=1\n[registries]\nh',
    'hosts.ini:1: there is no group registires',
  ],
  [
    'what Ansible takes for a part of the value, and others for a comment',
    '[all:vars]\nbackup_password = horse #1\n[g]\nh',
    'hosts.ini:2: backup_password has a # behind a blank; put the value into quotes',
  ],
  ['a group above itself', '[a:children]\nb\n[b:children]\na\n[b]\nh', 'hosts.ini:4: a is a child of itself'],
  [
    'what is not UTF-8',
    '# \uFFFD\nh backup_password=M\uFFFDller',
    'hosts.ini:2: is not UTF-8; save the file as UTF-8',
  ],
  ['no host at all', '# nothing', 'hosts.ini: names no host'],
])('%s is refused with file, line and reason', (_, text, problem) => {
  expect(problemsOf(text, 'hosts.ini')).toContain(problem);
});

test.each([
  [
    'a field that no group has',
    'all:\n  host:\n    a:',
    'hosts.yml:3: host is not known here; there is hosts, children, vars',
  ],
  ['what is not YAML', 'all: [', /^hosts\.yml:1: is not YAML: /],
  ['a host twice', 'all:\n  hosts:\n    a:\n    a:', 'hosts.yml:4: a is there twice; put both together'],
  ['a vault', 'all:\n  vars:\n    domain: !vault |\n      $ANSIBLE\n  hosts:\n    a:', /^hosts\.yml:3: /],
  [
    'a variable that is no setting',
    'all:\n  hosts:\n    a:\n      domian: x',
    /^hosts\.yml:4: domian is not a setting/,
  ],
])('%s is refused with file, line and reason', (_, text, problem) => {
  const first = problemsOf(text, 'hosts.yml').join('\n');
  expect(first).toMatch(typeof problem === 'string' ? problem.replace(/[[\]()]/g, '\\$&') : problem);
});

test('everything that is wrong is told at once, in the order of the lines', () => {
  expect(problemsOf('a domian=x\nb emial=y\nc port', 'hosts.ini').map((each) => each.slice(0, 11))).toEqual([
    'hosts.ini:1',
    'hosts.ini:2',
    'hosts.ini:3',
  ]);
});

test.each([
  ['[g]\nredis_url=redis://:hunter[2@x', 'redis_url stands where a host should'],
  ['[all:vars]\nredis_url: redis://:hunter2@x/?a=b', 'redis_url is not name=value'],
  ['[all:vars]\nbackup_password hunter2', 'backup_password is not name=value'],
  [
    '\nh backup_password=big hunter2',
    'what stands behind backup_password is not name=value; a value with blanks goes into quotes',
  ],
])('a secret in a line that is not understood is not shown: %j', (text, problem) => {
  const [first] = problemsOf(text, 'hosts.ini');
  expect(first).toContain(`hosts.ini:2: ${problem}`);
  expect(first).not.toContain('hunter');
});

test('a secret that can’t be is not shown', () => {
  const [problem] = problemsOf('a redis_url=hunter2', 'hosts.ini');
  expect(problem).toMatch(/^hosts\.ini:1: REDIS_URL /);
  expect(problem).not.toContain('hunter2');
});

test('what a group says wrongly is told once, however many hosts it has', () => {
  expect(problemsOf('[g]\na\nb\n[g:vars]\ndomian=x', 'hosts.ini')).toHaveLength(1);
});

test.each([
  ['web[01:03]', ['web01', 'web02', 'web03']],
  ['db-[a:c].x', ['db-a.x', 'db-b.x', 'db-c.x']],
  ['n[0:10:5]', ['n0', 'n5', 'n10']],
  ['r[1:2]c[1:2]', ['r1c1', 'r1c2', 'r2c1', 'r2c2']],
  ['plain', ['plain']],
])('%s stands for its hosts', (pattern, names) => {
  expect(expandHosts(pattern)).toEqual(names);
});

test.each(['web[3:1]', 'web[1:9999999]', 'web[1:2', 'web[x:1]', 'web[01:100]'])(
  '%s stands for nothing',
  (pattern) => {
    expect(expandHosts(pattern)).toMatch(/^has a range/);
  },
);

test.each([
  ['berlin', ['one.example.com', 'two']],
  ['berlin,lonely', ['lonely', 'one.example.com', 'two']],
  ['offices,!berlin', ['par01.example.com', 'par02.example.com']],
  ['offices,&*.example.com', ['one.example.com', 'par01.example.com', 'par02.example.com']],
  ['!offices', ['lonely']],
  ['par*', ['par01.example.com', 'par02.example.com']],
])('--limit %s', (pattern, names) => {
  expect(
    limitTo(parseInventory(INI, 'hosts.ini'), pattern)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names);
});

test('a limit that fits nothing is refused', () => {
  expect(() => limitTo(parseInventory(INI, 'hosts.ini'), 'berln')).toThrow('matches no host or group');
  expect(() => limitTo(parseInventory(INI, 'hosts.ini'), 'berlin,!berlin')).toThrow('leaves no host over');
});
