// Says on an open page that there is more to read. Every page works the same without it.
"use strict";
(() => {
  const line = document.getElementById("live");
  if (!line || !window.EventSource) return;
  const { after, group, thread, show, one, other } = line.dataset;
  const link = document.createElement("a");
  link.href = show;
  let source = null;
  let count = 0;

  function close() {
    if (source) source.close();
    source = null;
  }

  function tell(event) {
    const told = JSON.parse(event.data);
    if (thread && told.thread !== thread) return;
    count += told.new;
    link.textContent = count === 1 ? one : other.replace("{n}", count);
    if (!link.isConnected) line.append(link);
  }

  // A page that nobody looks at listens to nothing; it asks for all that it missed when it is looked at again.
  function open() {
    if (source || document.hidden) return;
    const asked = new URLSearchParams({ after });
    if (group) asked.set("group", group);
    source = new EventSource("/live?" + asked);
    source.onopen = () => { count = 0; };
    source.onmessage = tell;
    source.addEventListener("end", close);
  }

  // What somebody has begun to write goes along as a draft.
  link.addEventListener("click", (event) => {
    const text = document.querySelector("#reply textarea");
    const keep = document.querySelector('#reply button[value="draft"]');
    if (!text || !keep || text.value === text.defaultValue) return;
    event.preventDefault();
    text.form.requestSubmit(keep);
  });

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
})();
