"""Every word that the report's readers see, by language; nothing else under `tasks/report` holds such text.

A language is one class. `English` says what there is to say; another language says all of it again, and a test holds
them against each other: the same names, headings, reasons and placeholders.
"""

from tasks.domain.parameters import Language
from tasks.report.words.en import English
from tasks.report.words.fr import French

Words = English

LANGUAGES: dict[Language, Words] = {"en": English(), "fr": French()}
