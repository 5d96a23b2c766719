import type { Architecture } from './machine-facts.ts';

/** A package of the npm registry, by the digest that it has there. */
export interface Pinned {
  readonly package: string;
  readonly version: string;
  /** Subresource Integrity, as package-lock.json has it. */
  readonly integrity: string;
  /** Its folder below the folder of programs. */
  readonly folder: string;
  /** What of it is wanted, below `package/`; all when empty. */
  readonly members: readonly string[];
  /** Names in /usr/local/bin, and the programs of the package that they stand for. */
  readonly links: Readonly<Record<string, string>>;
}

/** Node 22 is the LTS until April 2027, and the newest that all of this is tested with but 24. */
export const CARRIED_VERSIONS = { node: '22.23.3', npm: '10.9.9' } as const;

/** The official binary, as the `node` package of npm brings it. */
export const PINNED_NODE: Readonly<Record<Architecture, Pinned>> = {
  x64: pinnedNode(
    'x64',
    'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  ),
  arm64: pinnedNode(
    'arm64',
    'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  ),
};

export const PINNED_NPM: Pinned = {
  package: 'npm',
  version: CARRIED_VERSIONS.npm,
  integrity:
    'sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==',
  folder: `npm-${CARRIED_VERSIONS.npm}`,
  members: [],
  links: { npm: 'bin/npm-cli.js', npx: 'bin/npx-cli.js' },
};

function pinnedNode(architecture: Architecture, integrity: string): Pinned {
  return {
    package: `node-linux-${architecture}`,
    version: CARRIED_VERSIONS.node,
    integrity,
    folder: `node-${CARRIED_VERSIONS.node}`,
    members: ['bin/node', 'LICENSE'],
    links: { node: 'bin/node' },
  };
}
