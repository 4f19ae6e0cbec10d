// Sets formulas with KaTeX: a line of JSON in, {tex, display}, a line out, {html} or {error}.
const [katexPath, options] = process.argv.slice(2);
const katex = require(require("path").resolve(katexPath));
const { macros } = JSON.parse(options);

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { tex, display } = JSON.parse(line);
    let answer;
    try {
      // "error": what LaTeX itself would not accept is refused, not guessed at.
      answer = { html: katex.renderToString(tex, {
        displayMode: display, throwOnError: true, strict: "error", macros: { ...macros },
      }) };
    } catch (error) {
      answer = { error: error.message };
    }
    console.log(JSON.stringify(answer));
  });
