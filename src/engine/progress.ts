import { createInterface } from 'node:readline';
import { z } from 'zod';
import { parseAs } from '../system/json.ts';

/** One line of the JSON stream that pull, build, load and import send back (Engine API, JSONMessage). */
const event = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

export type ProgressEvent = z.infer<typeof event>;

/** Reads the stream to its end. The engine answers 200 first and reports errors inside the stream: they are thrown. */
export async function follow(
  stream: NodeJS.ReadableStream,
  onEvent: (event: ProgressEvent) => void,
): Promise<void> {
  const failed = new Promise<never>((_, reject) => stream.once('error', reject));
  await Promise.race([read(stream, onEvent), failed]);
}

async function read(stream: NodeJS.ReadableStream, onEvent: (event: ProgressEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    if (line.trim() === '') continue;
    const said = parseAs(line, event); // a cut stream ends with half a line
    if (said?.error !== undefined) throw new Error(said.error);
    if (said !== undefined) onEvent(said);
  }
}
