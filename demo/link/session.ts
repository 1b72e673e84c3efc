const KEY = 'presage-token';

/** The access token lives as long as the tab: never in an address, never on disk. */
export function loadToken(): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1)).get('token');
  if (fragment !== null) {
    saveToken(fragment);
    // A link may bring it in its fragment, which is not sent anywhere; it does not stay in the address bar.
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function saveToken(token: string | undefined): void {
  if (token === undefined || token === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}
