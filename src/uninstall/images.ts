import type { Held, HeldImage } from '../engine/holdings.ts';
import { BASE_IMAGE, BUILT, CHECKOUT_LABEL, SOURCE_LABEL } from '../images/catalog.ts';
import { isOfMoorage, isOurs, PROJECT } from './ours.ts';

const PROGRAMS = /^moorage\/(gate|renewer|relay|exporter):/;
const KEPT = /^moorage\/kept:/;
/** Every stack has it, also one that is down. */
const SOCKET = 'registry-socket';

export interface ImageFound {
  readonly reference: string;
  readonly bytes: number;
}

/** Images by what becomes of them. */
export interface Sorted {
  readonly remove: readonly ImageFound[];
  /** Built here, and another one needs them. */
  readonly shared: readonly ImageFound[];
  /** What `upgrade --undo` goes back to. */
  readonly wayBack: readonly ImageFound[];
  /** Pulled or loaded. */
  readonly pulled: readonly ImageFound[];
}

interface Subject {
  readonly checkout: string;
  readonly projects: ReadonlySet<string>;
  readonly otherCheckouts: readonly string[];
  /** What the settings name for the roles. */
  readonly named: readonly string[];
  readonly purge: boolean;
}

/** Pure. The programs of this checkout go; what all checkouts share goes with the last of them. */
export function sortImages(held: Held, subject: Subject): Sorted {
  const { checkout, projects, otherCheckouts, named, purge } = subject;
  const ours = held.containers.filter((each) => isOurs(each, checkout));
  const others = held.containers.filter((each) => !isOurs(each, checkout));
  const inUse = new Set(others.map(({ image }) => image.id));
  const alone = otherCheckouts.length === 0 && !others.some(isOfMoorage) && !hasOtherStack(held, projects);
  const used = new Set([...named, ...ours.map(({ image }) => image.reference)]);

  // An archive brings programs that another machine's checkout built.
  const isLoaded = ({ labels }: HeldImage, reference: string) =>
    PROGRAMS.test(reference) && used.has(reference) && !otherCheckouts.includes(labels[CHECKOUT_LABEL] ?? '');

  const sorted = { remove: [], shared: [], wayBack: [], pulled: [] } satisfies Record<string, ImageFound[]>;
  const into: Record<keyof Sorted, ImageFound[]> = sorted;
  for (const image of held.images)
    for (const reference of image.references) {
      const found = { reference, bytes: image.bytes };
      if (isProgramOf(image, reference, checkout) || isLoaded(image, reference))
        into[inUse.has(image.id) ? 'shared' : 'remove'].push(found);
      else if (isShared(image, reference))
        into[alone && !inUse.has(image.id) ? 'remove' : 'shared'].push(found);
      else if (PROGRAMS.test(reference) && used.has(reference)) into.shared.push(found);
      else if (isWayBack(reference, projects)) into[purge ? 'remove' : 'wayBack'].push(found);
      else if (used.has(reference) && !reference.startsWith('moorage/')) into.pulled.push(found);
    }
  // What others stand on goes after them.
  const rank = ({ reference }: ImageFound) =>
    reference === BASE_IMAGE ? 2 : PROGRAMS.test(reference) || KEPT.test(reference) ? 0 : 1;
  return { ...into, remove: into.remove.toSorted((a, b) => rank(a) - rank(b)) };
}

function isProgramOf({ labels }: HeldImage, reference: string, checkout: string): boolean {
  return PROGRAMS.test(reference) && labels[CHECKOUT_LABEL] === checkout;
}

function isShared({ labels }: HeldImage, reference: string): boolean {
  if (reference === BASE_IMAGE) return true;
  return Object.values(BUILT).includes(reference) && labels[SOURCE_LABEL] !== undefined;
}

/** `moorage/kept:PROJECT.TIME.ROLE` */
function isWayBack(reference: string, projects: ReadonlySet<string>): boolean {
  const [project = ''] = KEPT.test(reference) ? reference.replace(KEPT, '').split('.') : [];
  return project !== '' && [...projects].some((each) => each.slice(0, 80) === project);
}

function hasOtherStack({ volumes }: Held, projects: ReadonlySet<string>): boolean {
  return volumes.some(
    ({ labels }) => labels['com.docker.compose.volume'] === SOCKET && !projects.has(labels[PROJECT] ?? ''),
  );
}
