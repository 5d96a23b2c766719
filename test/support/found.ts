import type { Held, HeldContainer, HeldImage } from '../../src/engine/holdings.ts';
import type { Found } from '../../src/uninstall/found.ts';

export const CHECKOUT = '/srv/registry';

/** A stack that was set up, with whatever a test wants otherwise. */
export function found(wish: Partial<Found> = {}): Found {
  return {
    checkout: CHECKOUT,
    domain: 'registry.example.com',
    project: 'moorage',
    values: {},
    engine: { kind: 'answers', held: held() },
    units: [],
    made: [],
    data: [],
    users: [],
    state: [],
    settings: [],
    own: [],
    halfDone: [],
    movedTo: undefined,
    otherCheckouts: [],
    otherData: [],
    programs: undefined,
    carried: undefined,
    ...wish,
  };
}

export function held(wish: Partial<Held> = {}): Held {
  return { containers: [], networks: [], volumes: [], images: [], ...wish };
}

/** A container that Compose made in a folder. */
export function container(name: string, folder: string, wish: Partial<HeldContainer> = {}): HeldContainer {
  const labels = {
    'com.docker.compose.project': 'moorage',
    'com.docker.compose.project.working_dir': folder,
  };
  return {
    id: `id of ${name}`,
    name,
    running: true,
    labels,
    image: { id: 'registry', reference: 'registry:2.8.3' },
    sources: [],
    ...wish,
  };
}

export function volume(name: string, project = 'moorage') {
  const labels = { 'com.docker.compose.project': project, 'com.docker.compose.volume': name };
  return { name: `${project}_${name}`, labels };
}

export function image(reference: string, labels: HeldImage['labels'] = {}): HeldImage {
  return { id: reference, references: [reference], labels, bytes: 1_000_000 };
}

export function file(path: string) {
  return { path, bytes: 4096, link: false };
}
