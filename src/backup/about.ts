import { z } from 'zod';

/** Stands at the top of each snapshot: what is in it, for whoever restores it. */
export const ABOUT = 'about.json';

const shape = z.object({
  format: z.literal(1),
  registry: z.string(),
  made: z.coerce.date(),
  /** Where images were kept; `undefined`: in a bucket, and they are not in the snapshot. */
  dataDirectory: z.string().optional(),
  repositories: z.number(),
  tags: z.number(),
  manifests: z.number(),
  /** Manifests that lacked something in the registry already. */
  incomplete: z.array(z.string()),
});

export type About = z.infer<typeof shape>;

export function parseAbout(text: string): About {
  return shape.parse(JSON.parse(text));
}
