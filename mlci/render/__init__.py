"""Pure functions from a report to text: terminal, Markdown, HTML, JSON, JUnit, SARIF."""
