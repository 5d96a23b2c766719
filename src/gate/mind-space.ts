import type { Decision } from './decide.ts';
import type { Question } from './question.ts';
import type { Route } from './route.ts';
import type { Space } from './space.ts';

/** Those that bring data; a PUT that ends an upload and brings none only gives it its name. */
const WRITES = new Set(['PATCH', 'PUT']);

/** What becomes of a request that may be made, for what is left of the disk. Whatever adds nothing goes on. */
export function mindSpace(
  space: Space,
  decision: Decision,
  route: Route,
  { method, length }: Pick<Question, 'method' | 'length'>,
): Decision {
  if (decision.kind === 'refuse') return decision;
  switch (route.kind) {
    case 'upload-start': {
      const shortage = space.shortage();
      if (shortage === undefined) return decision;
      const mounts =
        decision.kind === 'pass' && route.mount?.digest !== undefined && route.mount.from.length > 0;
      if (mounts) return { kind: 'handle', task: { kind: 'mount-only', repository: route.repository } };
      return { kind: 'refuse', refusal: { kind: 'disk-full', repository: route.repository, ...shortage } };
    }
    case 'upload': {
      if (!WRITES.has(method) || length === 0) return decision;
      const watched = space.isNear(length) || space.shortage(length) !== undefined;
      if (!watched) return decision;
      return { kind: 'handle', task: { kind: 'watched-upload', repository: route.repository } };
    }
    case 'manifest': {
      const shortage = method === 'PUT' ? space.shortage(length) : undefined;
      if (shortage === undefined) return decision;
      return { kind: 'refuse', refusal: { kind: 'disk-full', repository: route.repository, ...shortage } };
    }
    default:
      return decision;
  }
}
