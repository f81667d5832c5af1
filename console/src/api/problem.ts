// What went wrong with a request, as RFC 9457 tells it.
const kNothingThere = 'nothing at this path';

export class Problem extends Error {
  constructor(
    readonly status: number,  // 0: no answer came
    readonly title: string,
    readonly detail: string,
    readonly cure?: string,
    readonly field?: string,
    readonly objections?: unknown,
  ) {
    super(detail);
  }

  // The server has nothing at this path: it is older than the console.
  get missing(): boolean {
    return this.status === 405 || (this.status === 404 && this.detail.includes(kNothingThere));
  }

  // A bundle that is worse than the active one. Other conflicts (a comparison under way) have another cure.
  get refusedByGate(): boolean {
    return this.status === 409 && Array.isArray(this.objections);
  }
}

export function problemOf(status: number, body: string): Problem {
  try {
    const told = JSON.parse(body) as Record<string, unknown>;
    const text = (name: string) => (typeof told[name] === 'string' ? (told[name] as string) : undefined);
    return new Problem(status, text('title') ?? `Error ${status}`, text('detail') ?? 'the server said no more',
                       text('cure'), text('field'), told.objections);
  } catch {
    return new Problem(status, `Error ${status}`, status === 404 ? `there is ${kNothingThere}` : body.slice(0, 300) || 'the server said no more');
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, 'Fault in the console', error instanceof Error ? error.message : String(error));
}
