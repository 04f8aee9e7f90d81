addEventListener("fetch", (event) =>
  event.respondWith(new Response(`hello from JavaScript to ${new URL(event.request.url).pathname}\n`)));
