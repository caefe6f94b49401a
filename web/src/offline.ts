/** How far the page is kept on the device. */
export type Offline = "no" | "storing" | "yes" | "full" | "renewed";

/** Registers the service worker, and tells how far the page is kept on this device. */
export async function keepOffline(told: (state: Offline) => void): Promise<void> {
  if (!("serviceWorker" in navigator) || !window.isSecureContext) return told("no");
  try {
    const registration = await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
    if (registration.active) told("yes");
    const watch = (worker: ServiceWorker | null): void => {
      if (worker === null) return;
      const before = registration.active !== null;
      if (!before) told("storing");
      worker.addEventListener("statechange", () => {
        if (worker.state === "activated") told("yes");
        if (worker.state === "installed" && before) told("renewed");
        if (worker.state === "redundant" && !before) told("full");
      });
    };
    watch(registration.installing);
    registration.addEventListener("updatefound", () => watch(registration.installing));
    if (registration.waiting) told("renewed");
  } catch {
    told("no");
  }
}

/** Takes the newer version that waits, and loads the page anew. */
export async function renew(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
  registration?.waiting?.postMessage("now");
}
