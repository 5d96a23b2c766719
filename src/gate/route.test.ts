import { describe, expect, test } from 'vitest';
import { type Route, readRoute } from './route.ts';

const HEX = 'a'.repeat(64);
const SHA256 = `sha256:${HEX}`;
const SHA512 = `sha512:${'b'.repeat(128)}`;
const UPLOAD = '1c8a5ec5-9a26-4f4c-bd2c-6cdcf5fd3a6c';

function route(method: string, uri: string): Route {
  const result = readRoute(method, uri);
  if (!result.ok) throw new Error(`${method} ${uri}: ${result.problem.message}`);
  return result.route;
}

function problem(method: string, uri: string) {
  const result = readRoute(method, uri);
  return result.ok ? result.route : `${result.problem.status} ${result.problem.code}`;
}

describe('the routes of the distribution-spec', () => {
  const repository = 'team/app';
  const byTag = { kind: 'manifest', repository, reference: { kind: 'tag', tag: 'v1' } } as const;
  const byDigest = { kind: 'manifest', repository, reference: { kind: 'digest', digest: SHA256 } } as const;
  test.each<[end: string, method: string, uri: string, expected: Route]>([
    ['end-1', 'GET', '/v2/', { kind: 'base', action: 'none' }],
    [
      'end-2',
      'GET',
      `/v2/team/app/blobs/${SHA256}`,
      { kind: 'blob', repository, digest: SHA256, action: 'pull' },
    ],
    [
      'end-2',
      'HEAD',
      `/v2/team/app/blobs/${SHA512}`,
      { kind: 'blob', repository, digest: SHA512, action: 'pull' },
    ],
    ['end-3', 'GET', '/v2/team/app/manifests/v1', { ...byTag, action: 'pull' }],
    ['end-3', 'HEAD', `/v2/team/app/manifests/${SHA256}`, { ...byDigest, action: 'pull' }],
    ['end-4a', 'POST', '/v2/team/app/blobs/uploads/', { kind: 'upload-start', repository, action: 'push' }],
    [
      'end-4b',
      'POST',
      `/v2/team/app/blobs/uploads/?digest=${SHA256}`,
      { kind: 'upload-start', repository, action: 'push' },
    ],
    [
      'end-5',
      'PATCH',
      `/v2/team/app/blobs/uploads/${UPLOAD}?_state=x_Y-z%3D`,
      { kind: 'upload', repository, id: UPLOAD, action: 'push' },
    ],
    [
      'end-6',
      'PUT',
      `/v2/team/app/blobs/uploads/${UPLOAD}?_state=xyz%3D&digest=sha256%3A${HEX}`,
      { kind: 'upload', repository, id: UPLOAD, action: 'push' },
    ],
    ['end-7', 'PUT', '/v2/team/app/manifests/v1', { ...byTag, action: 'push' }],
    ['end-8a', 'GET', '/v2/team/app/tags/list', { kind: 'tags', repository, action: 'pull' }],
    ['end-8b', 'GET', '/v2/team/app/tags/list?n=10&last=v1', { kind: 'tags', repository, action: 'pull' }],
    ['end-9', 'DELETE', `/v2/team/app/manifests/${SHA256}`, { ...byDigest, action: 'delete' }],
    ['end-9', 'DELETE', '/v2/team/app/manifests/v1', { ...byTag, action: 'delete' }],
    [
      'end-10',
      'DELETE',
      `/v2/team/app/blobs/${SHA256}`,
      { kind: 'blob', repository, digest: SHA256, action: 'delete' },
    ],
    [
      'end-11',
      'POST',
      `/v2/team/app/blobs/uploads/?mount=${SHA256}&from=base/os`,
      {
        kind: 'upload-start',
        repository,
        mount: { digest: SHA256, from: ['base/os'] },
        action: 'push',
      },
    ],
    [
      'end-12a',
      'GET',
      `/v2/team/app/referrers/${SHA256}`,
      { kind: 'referrers', repository, digest: SHA256, action: 'pull' },
    ],
    [
      'end-12b',
      'GET',
      `/v2/team/app/referrers/${SHA256}?artifactType=application/spdx+json`,
      { kind: 'referrers', repository, digest: SHA256, action: 'pull' },
    ],
    [
      'end-13',
      'GET',
      `/v2/team/app/blobs/uploads/${UPLOAD}`,
      { kind: 'upload', repository, id: UPLOAD, action: 'push' },
    ],
    [
      'distribution: cancel',
      'DELETE',
      `/v2/team/app/blobs/uploads/${UPLOAD}`,
      { kind: 'upload', repository, id: UPLOAD, action: 'push' },
    ],
    ['distribution: catalog', 'GET', '/v2/_catalog?n=5&last=a%2Fb', { kind: 'catalog', action: 'catalog' }],
  ])('%s: %s %s', (_, method, uri, expected) => {
    expect(route(method, uri)).toEqual(expected);
  });
});

test.each([
  ['/v2/a/manifests/tags/list', { kind: 'tags', repository: 'a/manifests' }],
  ['/v2/x/blobs/uploads/tags/list', { kind: 'tags', repository: 'x/blobs/uploads' }],
  ['/v2/tags/tags/list', { kind: 'tags', repository: 'tags' }],
  [
    '/v2/team/tags/list/manifests/v1',
    { kind: 'manifest', repository: 'team/tags/list', reference: { kind: 'tag', tag: 'v1' } },
  ],
  [
    '/v2/a/blobs/uploads/manifests/list',
    { kind: 'manifest', repository: 'a/blobs/uploads', reference: { kind: 'tag', tag: 'list' } },
  ],
  ['/v2/a/blobs/uploads/list', { kind: 'upload', repository: 'a', id: 'list' }],
  ['/v2/a/manifests/_', { kind: 'manifest', repository: 'a', reference: { kind: 'tag', tag: '_' } }],
  [`/v2/a/blobs/blobs/${SHA256}`, { kind: 'blob', repository: 'a/blobs', digest: SHA256 }],
  ['/v2/secret%2Fapp/tags/list', { kind: 'tags', repository: 'secret/app' }],
  ['/v2/%74eam/app/t%61gs%2flist', { kind: 'tags', repository: 'team/app' }],
])('%s is decided by its last segments, as gorilla/mux does', (uri, expected) => {
  expect(route('GET', uri)).toMatchObject(expected);
});

test.each([
  [`mount=${SHA256}&from=a&from=secret`, { digest: SHA256, from: ['a', 'secret'] }],
  [`mount=${SHA256}&%66rom=secret`, { digest: SHA256, from: ['secret'] }],
  [`mount=${SHA256}&from=&from=secret%2Fapp`, { digest: SHA256, from: ['secret/app'] }],
  [`mount=&mount=${SHA256}&from=a`, { digest: SHA256, from: ['a'] }],
  [`mount=${SHA256}`, { digest: SHA256, from: [] }],
  ['from=a', { from: ['a'] }],
  ['FROM=a&mounts=b', undefined],
  ['mount=&from', undefined],
])('a mount by ?%s takes every source into account', (query, mount) => {
  const read = route('POST', `/v2/a/blobs/uploads/?${query}`);
  expect(read.kind === 'upload-start' ? read.mount : 'not a start').toEqual(mount);
});

describe('what is refused', () => {
  test.each([
    ['/v2', '404 UNSUPPORTED'],
    ['/', '404 UNSUPPORTED'],
    ['', '400 UNSUPPORTED'],
    ['*', '400 UNSUPPORTED'],
    ['/v1/a/tags/list', '404 UNSUPPORTED'],
    ['/V2/a/tags/list', '404 UNSUPPORTED'],
    ['http://host/v2/', '400 UNSUPPORTED'],
    ['//v2/', '400 UNSUPPORTED'],
    ['//host/v2/', '400 UNSUPPORTED'],
    ['/v2//', '400 UNSUPPORTED'],
    ['/v2/a//tags/list', '400 UNSUPPORTED'],
    ['/v2/a%2f/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/../secret/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/%2e%2e/secret/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/..%2fsecret/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/.%2E/secret/tags/list', '400 UNSUPPORTED'],
    ['/v2/./a/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/blobs/uploads/..', '400 UNSUPPORTED'],
    ['/v2/a/blobs/uploads/.', '400 UNSUPPORTED'],
    ['/v2/a\\b/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%5cb/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%00/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%0d%0a/tags/list', '400 UNSUPPORTED'],
    ['/v2/a\u0000/tags/list', '400 UNSUPPORTED'],
    ['/v2/a b/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%20b/tags/list', '400 UNSUPPORTED'],
    ['/v2/ä/tags/list', '400 UNSUPPORTED'],
    ['/v2/%c3%a4/tags/list', '400 UNSUPPORTED'],
    ['/v2/\u017fecret/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%zz/tags/list', '400 UNSUPPORTED'],
    ['/v2/a%2/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/tags/list%', '400 UNSUPPORTED'],
    ['/v2/a%252fb/tags/list', '400 UNSUPPORTED'],
    ['/v2/a/tags/list#', '400 UNSUPPORTED'],
    ['/v2/a/tags/list?a#b', '400 UNSUPPORTED'],
    ['/v2/a/tags/list?n=1;last=b', '400 UNSUPPORTED'],
    ['/v2/a/tags/list?n=%', '400 UNSUPPORTED'],
    ['/v2/a/tags/list?n=%00', '400 UNSUPPORTED'],
    ['/v2/a/tags/list/', '404 UNSUPPORTED'],
    ['/v2/_catalog/', '404 UNSUPPORTED'],
    ['/v2/a/manifests/v1/', '404 UNSUPPORTED'],
    ['/v2/a/blobs/uploads', '404 UNSUPPORTED'],
    ['/v2/a/blobs/uploads/b/', '404 UNSUPPORTED'],
    ['/v2/a', '404 UNSUPPORTED'],
    ['/v2/tags/list', '400 NAME_INVALID'],
    ['/v2/blobs/uploads/', '400 NAME_INVALID'],
    ['/v2/_catalog/tags/list', '400 NAME_INVALID'],
    ['/v2/Team/app/tags/list', '400 NAME_INVALID'],
    ['/v2/host:5000/app/tags/list', '400 NAME_INVALID'],
    ['/v2/[::1]/app/tags/list', '400 NAME_INVALID'],
    ['/v2/a..b/tags/list', '400 NAME_INVALID'],
    ['/v2/a___b/tags/list', '400 NAME_INVALID'],
    ['/v2/-a/tags/list', '400 NAME_INVALID'],
    ['/v2/a+b/tags/list', '400 NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/tags/list`, '400 NAME_INVALID'],
    ['/v2/a/manifests/.hidden', '404 MANIFEST_UNKNOWN'],
    [`/v2/a/manifests/${'v'.repeat(129)}`, '404 MANIFEST_UNKNOWN'],
    ['/v2/a/manifests/sha256:abc', '400 DIGEST_INVALID'],
    [`/v2/a/manifests/sha256:${'A'.repeat(64)}`, '400 DIGEST_INVALID'],
    [`/v2/a/manifests/sha512:${HEX}`, '400 DIGEST_INVALID'],
    [`/v2/a/manifests/md5:${HEX}`, '400 DIGEST_INVALID'],
    [`/v2/a/blobs/${HEX}`, '400 DIGEST_INVALID'],
    [`/v2/a/referrers/v1`, '400 DIGEST_INVALID'],
    ['/v2/a/blobs/uploads/a:b', '404 BLOB_UPLOAD_UNKNOWN'],
  ])('GET %s is %s', (uri, expected) => {
    expect(problem('GET', uri)).toBe(expected);
  });

  test.each([
    ['mount=sha256:abc&from=a', '400 DIGEST_INVALID'],
    [`mount=${SHA256}&from=Team`, '400 NAME_INVALID'],
    [`mount=${SHA256}&from=a&from=../secret`, '400 NAME_INVALID'],
    [`mount=${SHA256}&from=a%00`, '400 UNSUPPORTED'],
    [`mount=${SHA256};from=secret`, '400 UNSUPPORTED'],
  ])('a mount by ?%s is %s', (query, expected) => {
    expect(problem('POST', `/v2/a/blobs/uploads/?${query}`)).toBe(expected);
  });

  test.each([
    ['POST', '/v2/', 'GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET, HEAD'],
    ['PUT', '/v2/a/tags/list', 'GET, HEAD'],
    ['POST', '/v2/a/manifests/v1', 'GET, HEAD, PUT, DELETE'],
    ['PUT', `/v2/a/blobs/${SHA256}`, 'GET, HEAD, DELETE'],
    ['GET', '/v2/a/blobs/uploads/', 'POST'],
    ['PUT', '/v2/a/blobs/uploads/', 'POST'],
    ['POST', `/v2/a/blobs/uploads/${UPLOAD}?mount=${SHA256}&from=b`, 'GET, HEAD, PATCH, PUT, DELETE'],
    ['DELETE', `/v2/a/referrers/${SHA256}`, 'GET, HEAD'],
    ['OPTIONS', '/v2/a/tags/list', 'GET, HEAD'],
    ['get', '/v2/a/tags/list', 'GET, HEAD'],
    ['constructor', '/v2/a/tags/list', 'GET, HEAD'],
    ['', '/v2/', 'GET, HEAD'],
  ])('%s %s is 405 and names %s', (method, uri, allowed) => {
    const result = readRoute(method, uri);
    expect(result).toMatchObject({
      ok: false,
      problem: { status: 405, code: 'UNSUPPORTED', allow: allowed.split(', ') },
    });
  });
});

test('a name may have 255 characters', () => {
  const repository = 'a'.repeat(255);
  expect(route('GET', `/v2/${repository}/tags/list`)).toMatchObject({ repository });
});
