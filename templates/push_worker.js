"use strict";
self.addEventListener("push", (event) => {
  const said = event.data.json();
  event.waitUntil(self.registration.showNotification(said.title, { body: said.body, tag: said.tag, renotify: true, data: said.ward }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(`/wards/${encodeURIComponent(event.notification.data)}/`));
});
