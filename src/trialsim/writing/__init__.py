"""Any report as terminal text, page, Word file, Markdown, LaTeX, tables and a folder. It knows no trial."""
