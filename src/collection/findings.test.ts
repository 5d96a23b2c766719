import { expect, test } from 'vitest';
import { readFindings } from './findings.ts';

const [ONE, OTHER] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`];
const OUTPUT = `team/app
team/app: marking manifest ${OTHER} 
manifest eligible for deletion: ${OTHER}
team/app: marking blob ${ONE}

1 blobs marked, 1 blobs and 1 manifests eligible for deletion
blob eligible for deletion: ${ONE}
time="2026-01-01T00:00:00Z" level=info msg="Deleting blob: /docker/registry/v2/blobs/sha256/11/…" go.version=go1.24.4
`;

test('what the collector says it takes away', () => {
  expect(readFindings(OUTPUT)).toEqual({ blobs: [ONE], manifests: [OTHER] });
});

test('a collector that finds nothing', () => {
  expect(readFindings('team/app\n\n1 blobs marked, 0 blobs and 0 manifests eligible for deletion\n')).toEqual(
    {
      blobs: [],
      manifests: [],
    },
  );
});
