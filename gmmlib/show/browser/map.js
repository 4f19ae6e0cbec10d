// The map of the course: what the reader has finished.
{
  const FINISHED = "finished ✓";

  casebook.define("course-map", ({ el }) => {
    const marks = new Map();
    for (const chapter of el.querySelectorAll("[data-chapter]")) {
      const mark = node("p", { class: "gmm-map-done" });
      chapter.querySelector(".gmm-map-card").append(mark);
      marks.set(chapter.dataset.chapter, mark);
    }
    progress.watch(({ finished }) => {
      for (const [chapter, mark] of marks) {
        mark.textContent = finished[chapter] === true ? FINISHED : "";
      }
    });
  });
}
