import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Service } from '../link/service.js';
import type { View } from '../state/view.js';

export interface Page {
  readonly service: Service;
  readonly view: View;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('the page has no context');
  return page;
}

/** Renders again every so many ms. */
export function useTicks(everyMs: number): void {
  const [, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}

/** A picture of the service as an address for an `img`; undefined until it is there, null when there is none. */
export function useImage(path: string | undefined): string | null | undefined {
  const { service } = usePage();
  const [shown, setShown] = useState<{ path: string; url: string | null } | undefined>(undefined);
  useEffect(() => {
    if (path === undefined) return undefined;
    let url: string | undefined;
    let gone = false;
    const load = async (): Promise<void> => {
      const response = await service.fetch(path).catch(() => undefined);
      const blob = response?.ok ? await response.blob() : undefined;
      if (gone) return;
      url = blob && URL.createObjectURL(blob);
      setShown({ path, url: url ?? null });
    };
    void load();
    return () => {
      gone = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [path, service]);
  return shown?.path === path ? shown?.url : undefined;
}
