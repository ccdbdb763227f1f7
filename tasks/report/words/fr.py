"""The report in French: numbers as 1 234,56 €, with the spaces that French typography wants."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from tasks.domain.figures import Comparison, Figures, StockFigures
from tasks.domain.parameters import Parameters
from tasks.domain.schemas import Source
from tasks.domain.stock import LOW_STOCK
from tasks.report.words.en import English

_ = "\N{NO-BREAK SPACE}"


class French(English):
    """What the report says, in French."""

    THOUSANDS = "\N{NARROW NO-BREAK SPACE}"
    DECIMAL = ","
    UNIT_SPACE = "\N{NO-BREAK SPACE}"
    CELL_LOCALE = "[$-40C]"

    SUMMARY = "Synthèse"
    REVENUE = "Ventes par produit"
    PREMIUM = "Vins premium"
    STOCK = "Stocks"
    CHANGES = "Évolution"
    QUALITY = "Qualité"
    ISSUES = "Lignes à vérifier"
    ABOUT = "À propos"
    CHART_DATA = "Données des graphiques"

    AUTHOR = "BottleNeck"
    MONTHS: ClassVar = (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    )  # fmt: skip
    SOURCES: ClassVar[Mapping[Source, str]] = {"erp": "ERP", "liaison": "Table de liaison", "web": "Boutique en ligne"}
    DISPOSITIONS: ClassVar = {"used": "utilisée", "ignored": "ignorée", "rejected": "écartée"}
    SEVERITIES: ClassVar = {"error": "erreur", "warning": "alerte", "info": "info"}
    STOCK_STATES: ClassVar = {
        "sold_out": "épuisé", "nearly_out": "presque épuisé", "idle": "dormant", "unknown": "non compté",
    }  # fmt: skip
    CHANGE_KINDS: ClassVar = {
        "fallen": "compteur en baisse", "new": "nouveau", "gone": "disparu", "newly_premium": "devient premium",
        "no_longer_premium": "n'est plus premium", "repriced": "nouveau prix",
    }  # fmt: skip

    HEADINGS: ClassVar[Mapping[str, str]] = {
        "file": "Fichier",
        "sheet": "Feuille",
        "row": "Ligne",
        "cell": "Cellule",
        "column": "Colonne",
        "value": "Valeur",
        "rule": "Règle",
        "severity": "Gravité",
        "disposition": "Sort",
        "key": "Clé",
        "other": "Autre cellule",
        "remedy": "Que faire",
        "product_id": "Produit",
        "sku": "SKU",
        "post_title": "Vin",
        "post_date": "Mise en ligne",
        "total_sales": "Unités vendues",
        "price": "Prix (€)",
        "stock_quantity": "En stock",
        "revenue": "CA (€)",
        "z_score": "z-score",
        "is_premium": "Premium",
        "rank": "Rang",
        "is_new": "Nouveau",
        "rank_before": "Rang avant",
        "total_sales_before": "Unités avant",
        "price_before": "Prix avant (€)",
        "revenue_before": "CA avant (€)",
        "was_premium": "Premium avant",
        "sold_since": "Vendu depuis",
        "sold_value": "Vendu depuis (€)",
        "price_effect": "Effet prix (€)",
        "rank_change": "Places gagnées",
        "share": "Part du CA",
        "cumulative_share": "Part cumulée",
        "state": "État",
        "stock_value": "Stock (€)",
        "months_left": "Mois restants",
        "change": "Évolution",
        "source": "Classeur",
        "reason": "Raison",
        "rows": "Lignes",
        "rejected_units": "Unités vendues",
        "class_mark": "Premium",
        "problem": "Problème",
    }

    PREMIUM_MARK = "Premium"
    ORDINARY = "Ordinaire"
    NEW_MARK = "nouveau"
    TOTAL_SHOWN = "Total des lignes affichées"

    REVENUE_LABEL = "Chiffre d'affaires"
    UNITS_LABEL = "Unités vendues"
    PRODUCTS_LABEL = "Produits"
    CARRYING_LABEL = f"Produits qui font 80{_}%"
    PREMIUM_LABEL = "Vins premium"
    PREMIUM_SHARE_LABEL = "Part des premium dans le CA"
    FIRST_MONTH = f"C'est le premier mois publié ici{_}: il n'y a encore rien à quoi le comparer."
    BY_CLASS = "Chiffre d'affaires par classe"
    PRODUCTS_HEADING = "Produits"
    UNITS_HEADING = "Unités"
    REVENUE_HEADING = "CA"
    ALL_PRODUCTS = "Tous les produits"
    SOLD_SINCE = "Vendu depuis, au prix actuel"
    PRICE_EFFECT = "Nouveaux prix"
    NEW_PRODUCTS = "Nouveaux produits"
    GONE_PRODUCTS = "Produits disparus"
    FALLEN_COUNTERS = "Compteurs en baisse"
    STOCK_SECTION = "Stocks"
    LEFT_HEADING = "Reste"
    SELLERS_LEFT = "Épuisés ou presque, par CA à ce jour"
    NO_SELLER_OUT = "Aucun produit vendu n'est épuisé ou presque."
    MISSING = "Ce qui manque dans ces chiffres"
    NOTHING_MISSING = f"Rien{_}: aucune ligne n'a été écartée."

    TOP_PRODUCTS = "Les dix produits qui rapportent le plus"
    TOP_PREMIUM = "Les vins premium qui rapportent le plus"
    PRICE_BANDS = "Tous les produits par prix"
    PREMIUM_BANDS = "Les vins premium par prix, à leur propre échelle"

    REVENUE_NOTE = "Par chiffre d'affaires (CA) décroissant. Les totaux suivent les filtres."
    STOCK_NOTE = (
        "Les produits épuisés par chiffre d'affaires, les presque épuisés, puis les "
        "bouteilles jamais vendues par valeur."
    )
    NO_ISSUES = "Il n'y a ni ligne ni cellule à vérifier."
    QUALITY_NOTE = f"Chaque ligne des trois classeurs est utilisée, ignorée ou écartée{_}: voici combien et pourquoi."
    RULES_SECTION = "Ce que disent les chiffres"
    INPUTS_SECTION = "Tirés de ces classeurs"
    PARAMETERS_SECTION = "Avec ces réglages"
    BASELINE_SECTION = "Comparés avec"
    BASELINE_MONTH = "Mois"
    BASELINE_IDENTITY = "Identité de son résultat"
    PARAMETERS: ClassVar = {
        "month": "Mois",
        "premium_threshold": "Seuil premium (z-score)",
        "language": "Langue",
        "csv_dialect": "Fichiers CSV",
    }
    LANGUAGE_NAME = "français"
    CSV_DIALECTS: ClassVar = {
        "standard": "virgule, point décimal",
        "french": "point-virgule, virgule décimale (Excel français)",
    }

    SUBJECTS: ClassVar[Mapping[str, str]] = {
        "blank-row": "La ligne",
        "other-post-type": "La publication",
        "unpublished-twin": "Le produit",
        "no-key": "La clé",
        "unreadable-key": "La clé",
        "contradicting-rows": "La ligne",
        "differing-repetition": "La ligne",
        "repetition": "La ligne",
        "no-web-id": "Le champ id_web",
        "unknown-product": "Le product_id",
        "unknown-web-id": "Le champ id_web",
        "on-sale-unlinked": "Le produit",
        "not-sold-online": "Le produit",
        "no-partner": "Le produit",
        "unlinked-sales": "Le produit en ligne",
        "shared-sku": "Le sku",
        "several-skus": "Le champ id_web",
    }

    SENTENCES: ClassVar[Mapping[str, str]] = {
        "missing-workbook": "est absent",
        "several-workbooks": "n'est pas le seul candidat",
        "same-workbook": "est le même fichier sous un autre nom",
        "other-source": "sont celles d'une autre source",
        "not-a-workbook": "n'est pas un classeur .xlsx",
        "damaged-workbook": "est endommagé ou incomplet",
        "no-visible-sheet": "n'a pas de feuille visible",
        "unreadable-cell": "ne peut être lu avec certitude",
        "missing-column": "manque",
        "doubled-column": "figure plusieurs fois dans l'en-tête",
        "several-sheets": "n'est pas la seule feuille à avoir ces colonnes",
        "too-large-workbook": "est plus grand qu'un classeur lisible",
        "reader-failed": "ne peut être lu avec la mémoire et le temps que permet sa taille",
        "no-rows": "a un en-tête et aucune ligne dessous",
        "absent-column": "est absente, sans effet sur les chiffres",
        "unreadable-key": "n'est pas une clé",
        "contradicting-rows": "contredit {other}",
        "differing-repetition": "répète une ligne avec d'autres détails",
        "shared-sku": f"est lié aussi{_}: voir {{other}}",
        "several-skus": f"n'est pas le seul lien valide du produit{_}: il y a {{other}}",
        "blank-cell": "est vide",
        "error-cell": "est une erreur du tableur",
        "uncalculated-formula": "est une formule jamais calculée",
        "not-a-number": "n'est pas un nombre",
        "ambiguous-number": f"a deux sens possibles{_}: séparateur de milliers ou décimal",
        "not-above-zero": "n'est pas supérieur à 0",
        "negative": "est inférieur à 0",
        "fractional": "n'est pas un nombre entier",
        "too-large": "est trop grand pour un tableur",
        "blank-post-type": "est vide alors que la ligne a un sku ou des ventes",
        "sellable-post-type": "est d'un type à part et a des ventes",
        "unpublished-product": "est l'état d'un produit qui a des ventes",
        "not-a-date": "n'est pas une date",
        "stock-not-a-count": "n'est pas un nombre entier à partir de 0",
        "stock-status-mismatch": "contredit la quantité en stock",
        "unknown-flag": "n'est ni 0 ni 1",
        "blank-row": "est sans contenu",
        "other-post-type": "n'est pas un produit",
        "unpublished-twin": "n'est pas publié, et un produit de même sku l'est",
        "no-key": f"est vide{_}: la ligne ne peut pas être rapprochée",
        "repetition": "répète exactement une autre ligne",
        "no-web-id": f"est vide{_}: le produit n'a pas de lien vers la boutique",
        "unknown-product": "n'est pas un produit de l'ERP",
        "unknown-web-id": "n'est pas un produit de la boutique",
        "on-sale-unlinked": "est vendu en ligne et n'a pas de produit dans la boutique",
        "not-sold-online": "n'est pas vendu en ligne",
        "no-partner": "n'a pas de produit dans la boutique",
        "unlinked-sales": "n'est lié à aucun produit de l'ERP",
        "no-product": "ne laissent aucun produit présent dans les trois",
        "unmatched": "dépasse la limite",
        "padded-keys": f"dépasse la limite{_}: des clés d'un classeur ont des zéros initiaux qu'un autre n'a pas",
        "no-sales": f"ne peut pas être juste{_}: la boutique compte tout ce qu'elle a jamais vendu",
        "revenue-too-large": "dépasse ce qu'un tableur peut contenir",
        "stale-export": "n'a pas été renouvelé par la boutique depuis le mois précédent",
        "rounded-key": "est un long nombre qu'Excel a arrondi, et non une clé",
        "counters-fell": (
            "est inférieur à {other}, comme la plupart des compteurs qui ont changé"
            f"{_}: l'export est sans doute plus ancien"
        ),
        "prices-moved": (
            "vaut {other} multiplié par le même facteur que presque tous les prix"
            f"{_}: autre unité, autre taxe ou autre monnaie"
        ),
        "cut-off-export": (
            f"manque, ainsi que tout ce qui suivait auparavant ({{other}}){_}: l'export est sans doute tronqué"
        ),
        "missing-in-bulk": (
            f"manque, comme beaucoup de produits déjà vendus ({{other}}){_}: l'export est sans doute incomplet"
        ),
        "counter-fell-far": "est très inférieur à {other}",
        "price-jumped": "est très éloigné de {other}",
        "check-failed": "n'est pas vérifié",
    }

    REMEDIES: ClassVar[Mapping[str, str]] = {
        "Show the sheet with the table, then run again.": "Afficher la feuille du tableau, puis relancer.",
        "Type the cell again in a spreadsheet program, save the workbook, then run again.": (
            "Ressaisir la cellule dans un tableur, enregistrer le classeur, puis relancer."
        ),
        "Put the workbook in the source folder, then run again.": (
            "Mettre le classeur dans le dossier source, puis relancer."
        ),
        "Keep one workbook for this source, or name it with its own option.": (
            "Garder un seul classeur pour cette source, ou le nommer par son option."
        ),
        "Put each source's own workbook in its place, then run again.": (
            "Mettre à sa place le classeur de chaque source, puis relancer."
        ),
        "Export the workbook again, then run again.": "Exporter de nouveau le classeur, puis relancer.",
        "Delete what stands outside the table, or export the sheet alone into a new workbook; then run again.": (
            "Supprimer ce qui est hors du tableau, ou exporter la feuille seule dans un nouveau "
            f"classeur{_}; puis relancer."
        ),
        "Open it in Excel and save it as a new .xlsx workbook, then run again.": (
            "L'ouvrir dans Excel et l'enregistrer comme nouveau classeur .xlsx, puis relancer."
        ),
        "Give the column its agreed name, then run again.": "Donner à la colonne son nom convenu, puis relancer.",
        "Rename or remove one of them, then run again.": "Renommer ou supprimer l'une d'elles, puis relancer.",
        "Hide or remove the others, then run again.": "Masquer ou supprimer les autres, puis relancer.",
        "Add it to see its checks.": "L'ajouter pour en voir les contrôles.",
        "Type the key as a number or plain text, then run again.": (
            "Saisir la clé comme un nombre ou un texte simple, puis relancer."
        ),
        "Keep the right row and remove the others, then run again.": (
            "Garder la bonne ligne et supprimer les autres, puis relancer."
        ),
        "Remove the row that is out of date.": "Supprimer la ligne périmée.",
        "Keep the link of one product, then run again.": "Garder le lien d'un seul produit, puis relancer.",
        "Keep one link for the product, then run again.": "Garder un seul lien pour le produit, puis relancer.",
        "Fill the cell, then run again.": "Remplir la cellule, puis relancer.",
        "Correct the cell, then run again.": "Corriger la cellule, puis relancer.",
        "Open the workbook in a spreadsheet program and save it, then run again. Until then, a formula that gives 0 "
        "is refused as well.": (
            "Ouvrir le classeur dans un tableur, l'enregistrer, puis relancer. D'ici là, une formule qui donne 0 est "
            "refusée aussi."
        ),
        "Fill in the type, then run again.": "Renseigner le type, puis relancer.",
        "Move the sales to the product itself, then run again.": "Reporter les ventes sur le produit, puis relancer.",
        "Type it as a number, or without that separator, then run again.": (
            "Le saisir comme un nombre, ou sans ce séparateur, puis relancer."
        ),
        "Nothing to do if it was sold before it was withdrawn; else publish it again.": (
            f"Rien à faire s'il a été vendu avant son retrait{_}; sinon le publier de nouveau."
        ),
        "Correct the date in the shop.": "Corriger la date dans la boutique.",
        'Write the keys alike in all workbooks, "007" or "7", then run again.': (
            f"Écrire les clés de la même façon dans tous les classeurs, «{_}007{_}» ou «{_}7{_}», puis relancer."
        ),
        "Correct the stock in the ERP.": "Corriger le stock dans l'ERP.",
        "Correct the stock status in the ERP.": "Corriger l'état du stock dans l'ERP.",
        "Correct the flag in the ERP.": "Corriger l'indicateur dans l'ERP.",
        "Nothing to do.": "Rien à faire.",
        "Fill in the key.": "Renseigner la clé.",
        "Remove the row.": "Supprimer la ligne.",
        "Link the product if it is sold online.": "Lier le produit s'il est vendu en ligne.",
        "Correct the link.": "Corriger le lien.",
        "Correct or remove the link.": "Corriger ou supprimer le lien.",
        "Link the product.": "Lier le produit.",
        "Link the product: its sales are missing.": f"Lier le produit{_}: ses ventes manquent.",
        "Check that the three belong together.": "Vérifier que les trois vont ensemble.",
        "Rows of the {other} workbook are probably missing, or it is of another time: export it whole and run again. "
        "If it is right, complete the links or run with --accept-unusual.": (
            f"Compléter les liens{_}; ou relancer avec --accept-unusual si c'est exact."
        ),
        "Export the shop's workbook again with its sales, then run again.": (
            "Exporter de nouveau le classeur de la boutique avec ses ventes, puis relancer."
        ),
        "Export the workbook again with this column as text, then run again.": (
            "Exporter de nouveau le classeur avec cette colonne en texte, puis relancer."
        ),
        "Export the web workbook again; or run with --accept-unusual if it is right.": (
            f"Exporter de nouveau le classeur de la boutique{_}; ou relancer avec --accept-unusual si c'est exact."
        ),
        "Export the prices as before; or run with --accept-unusual if they are right.": (
            f"Exporter les prix comme avant{_}; ou relancer avec --accept-unusual s'ils sont exacts."
        ),
        "Export the workbook whole; or run with --accept-unusual if it is right.": (
            f"Exporter le classeur en entier{_}; ou relancer avec --accept-unusual si c'est exact."
        ),
        "Nothing to do if orders were cancelled or the product was added to the shop again.": (
            "Rien à faire si des commandes ont été annulées ou si le produit a été remis en vente."
        ),
        "Correct the price in the ERP if it is a slip.": "Corriger le prix dans l'ERP si c'est une erreur.",
        "Check prices and sales.": "Vérifier les prix et les ventes.",
        "Export the shop's workbook again; or run with --accept-unusual if nothing was sold.": (
            f"Exporter de nouveau le classeur de la boutique{_}; ou relancer avec "
            "--accept-unusual si rien n'a été vendu."
        ),
        "Report this: the pipeline contradicts itself.": f"À signaler{_}: le traitement se contredit.",
    }

    def plural(self, number: int, one: str, many: str) -> str:
        """The form of a word that goes with a number: zero is singular."""
        return one if abs(number) <= 1 else many

    def month_name(self, month: str) -> str:
        """`2025-05` as mai 2025."""
        year, number = month.split("-")
        return f"{self.MONTHS[int(number) - 1]} {year}"

    def title(self, month: str) -> str:
        """Title of the workbook and of the Summary."""
        return f"Ventes de vin, {self.month_name(month)}"

    def sheet_title(self, sheet: str, month: str) -> str:
        """Title of another sheet."""
        return f"{sheet}, {self.month_name(month)}"

    def page_footer(self, month: str) -> str:
        """Footer of every page, in Excel's own notation."""
        return f"&L&8{self.title(month)}&C&8&A&R&8Page &P sur &N"

    def compared_with(self, comparison: Comparison) -> str:
        """Which month the changes are counted from."""
        name = self.month_name(comparison.month)
        if comparison.months_apart == 1:
            return f"Par rapport à {name}, le mois précédent"
        return f"Par rapport à {name}, {comparison.months_apart} mois plus tôt"

    def since(self, comparison: Comparison) -> str:
        """The news of the month in a sentence."""
        units = self.counted(comparison.units_sold, "unité vendue", "unités vendues")
        value = self.amount(comparison.sold_value)
        return f"{self.compared_with(comparison)}{_}: {units} depuis, soit {value} aux prix actuels."

    def snapshot_note(self, month: str) -> str:
        """What the month does and does not mean."""
        return (
            "Les unités vendues sont total_sales, le compteur permanent de la boutique au moment de son export"
            f"{_}: {self.month_name(month)} est l'étiquette de ce relevé, non une période qu'il mesurerait."
        )

    def no_change(self) -> str:
        """Beside a figure that is what it was."""
        return "inchangé"

    def points(self, now: Decimal, before: Decimal) -> str:
        """Change of a share."""
        return f"{self.signed(self.number(100 * (now - before), 1))} points"

    def products_change(self, change: str, comparison: Comparison) -> str:
        """Products that came and went."""
        new = self.counted(comparison.new_products, "nouveau", "nouveaux")
        return f"{change}{_}: {new}, {self.counted(comparison.gone_products, 'disparu', 'disparus')}"

    def premium_change(self, change: str, comparison: Comparison) -> str:
        """Products of both months that changed their class."""
        newly, no_longer = self.number(comparison.newly_premium), self.number(comparison.no_longer_premium)
        return f"{change}{_}: {newly} de plus, {no_longer} de moins"

    def revenue_note(self, figures: Figures) -> str:
        """What a unit brings on average."""
        return f"{self.amount(figures.revenue / figures.units)} par unité" if figures.units else "aucune unité vendue"

    def unsold_note(self, products: int) -> str:
        """Products in the range that were never sold."""
        return f"{self.counted(products, 'produit', 'produits')} sans vente"

    def classes_note(self, figures: Figures) -> str:
        """The two classes."""
        return f"{self.number(figures.premium)} premium, {self.counted(figures.ordinary, 'ordinaire', 'ordinaires')}"

    def carrying_note(self, share: Decimal) -> str:
        """How few products carry the revenue."""
        return f"{self.percent(share)} des produits"

    def threshold_note(self, figures: Figures) -> str:
        """From which price a wine is premium."""
        return f"prix au-dessus de {self.amount(figures.threshold_price)}"

    def bridge_title(self, before: str, month: str) -> str:
        """Heads the reckoning from one month to the other."""
        return f"De {self.month_name(before)} à {self.month_name(month)}"

    def fallen_warning(self, comparison: Comparison) -> str:
        """A counter that fell, in plain words."""
        counters = self.counted(comparison.fallen_products, "compteur de ventes a", "compteurs de ventes ont")
        return f"Boutique à vérifier{_}: {counters} baissé, ce qui est anormal. Voir la feuille {self.CHANGES}."

    def price_effect_note(self) -> str:
        """Why new prices stand apart."""
        return "Un nouveau prix réévalue ce qui est déjà vendu, sans vendre une bouteille."

    def sold_out_note(self, stock: StockFigures) -> str:
        """What was lost with the last bottle."""
        return f"vendus, plus de bouteille{_}; {self.amount(stock.sold_out_revenue)} de CA à ce jour"

    def nearly_out_note(self) -> str:
        """What nearly means."""
        return f"vendus, il reste moins de {LOW_STOCK} bouteilles"

    def idle_note(self, stock: StockFigures) -> str:
        """Money that stands still."""
        bottles = self.counted(stock.idle_units, "bouteille", "bouteilles")
        return f"jamais vendus{_}: {bottles}, {self.amount(stock.idle_value)} au prix de vente"

    def unknown_note(self) -> str:
        """Products that the stock figures leave out."""
        return "produits dont l'ERP ne compte pas le stock"

    def untitled(self, product_id: str) -> str:
        """Stands for a title that is not there."""
        return f"Produit {product_id}"

    def missing_summary(self, rejected: int, units: int) -> str:
        """All that is missing, in one line."""
        line = self.counted(rejected, "ligne écartée", "lignes écartées")
        if not units:
            return f"{line}{_}; aucune unité vendue ne manque."
        sold = self.counted(units, "unité vendue n'a", "unités vendues n'ont")
        return f"{line}{_}; {sold} ici ni produit ni prix."

    def other_reasons(self, number: int) -> str:
        """What the Summary has no room for."""
        return f"{self.counted(number, 'autre raison', 'autres raisons')}{_}: voir la feuille {self.QUALITY}"

    def threshold_label(self, price: Decimal) -> str:
        """Names the line in the price chart."""
        return f"Premium au-dessus de {self.amount(price)}"

    def band_axis(self, width: Decimal, threshold: Decimal) -> str:
        """Title of a price axis."""
        step = self.amount(width, 0 if width >= 1 else 2)
        return f"Prix par tranches de {step}, à partir de {self.amount(threshold)}"

    def band(self, lower: Decimal, upper: Decimal | None, *, whole: bool) -> str:
        """A price band; without an upper end, all prices from the lower one."""
        places = 0 if whole else 2
        if upper is None:
            return f"{self.number(lower, places)} +"
        return f"{self.number(lower, places)}\N{EN DASH}{self.number(upper, places)}"

    def bars_described(self, title: str, wines: int) -> str:
        """A bar chart for who does not see it."""
        bars = self.counted(wines, "barre", "barres")
        return f"Graphique en barres{_}: {title}. {bars}{_}; les chiffres sont sur la feuille {self.REVENUE}."

    def bands_described(self, title: str) -> str:
        """A chart of price bands for who does not see it."""
        return (
            f"Histogramme{_}: {title}. Combien de produits à quel prix{_}; les prix sont sur la feuille {self.REVENUE}."
        )

    def premium_sentence(self, figures: Figures, threshold: float) -> str:
        """What the premium sheet shows, or why it is empty."""
        price, score = self.amount(figures.threshold_price), self.score(threshold)
        if figures.premium == 0:
            return (
                f"Aucun vin n'est premium ce mois-ci{_}: aucun prix ne dépasse {price} (z-score au-dessus de {score})."
            )
        wines = self.counted(figures.premium, "vin coûte", "vins coûtent")
        share = self.percent(figures.premium_revenue / figures.revenue if figures.revenue else Decimal(0))
        makes = self.makes(figures.premium)
        return f"{wines} plus de {price} (z-score au-dessus de {score}) et {makes} {share} du chiffre d'affaires."

    def makes(self, number: int) -> str:
        """The verb for so many."""
        return self.plural(number, "fait", "font")

    def score(self, threshold: float) -> str:
        """A threshold as short as it is."""
        return f"{threshold:g}".replace(".", self.DECIMAL)

    def changes_note(self, comparison: Comparison) -> str:
        """How to read the changes."""
        return f"{self.compared_with(comparison)}. Un produit figure ici une fois pour chaque chose qui a changé."

    def rows_read(self, rows: int) -> str:
        """Heads the counts of one workbook."""
        return self.counted(rows, "ligne lue", "lignes lues")

    def rows_cut(self, shown: int, total: int) -> str:
        """Says that a sheet is not long enough."""
        shown_rows, all_rows = self.number(shown), self.number(total)
        return f"Les {shown_rows} premières de {all_rows} lignes{_}: une feuille n'en contient pas plus."

    def issues_note(self, rows: int) -> str:
        """What the rows to look at are."""
        return f"{self.counted(rows, 'ligne ou cellule', 'lignes ou cellules')}{_}: où, quel problème, que faire."

    def reason(self, rule: str | None, detail: str | None) -> str:
        """Why rows became what they are, as a sentence."""
        if rule is None:
            return "Rien à redire"
        sentence = f"{self.SUBJECTS.get(rule, 'La cellule')} {self.problem(rule)}"
        return sentence if detail is None else f"{sentence} ({detail})"

    def problem(self, rule: str) -> str:
        """Completes an address and a value; the code itself where the catalogue does not know it."""
        return self.SENTENCES.get(rule, rule).replace("{other}", "une autre ligne")

    def workbook(self, file: str, size: int, sha256: str) -> str:
        """One of the three workbooks, exactly."""
        return f"{file}, {self.number(size)} octets, SHA-256 {sha256}"

    def definitions(self, parameters: Parameters) -> list[tuple[str, str]]:
        """What each figure means: a term and a sentence or two."""
        score = self.score(parameters.premium_threshold)
        return [
            ("Mois", self.snapshot_note(parameters.month)),
            (
                "Produit",
                (
                    "Un produit présent dans l'ERP, dans la table de liaison et dans la boutique. "
                    "Seuls ceux-là sont comptés."
                ),
            ),
            (
                "Prix",
                f"Le prix de vente d'une bouteille dans l'ERP, arrondi au centime{_}; taxes comme dans l'ERP.",
            ),
            (
                "Chiffre d'affaires (CA)",
                (
                    f"Prix fois unités vendues, au centime{_}: tout ce que la boutique a jamais vendu "
                    "du produit, au prix actuel."
                ),
            ),
            (
                "Part, part cumulée",
                (
                    f"La part d'un produit dans tout le CA{_}; et la sienne avec celle de tous les "
                    "produits classés avant lui."
                ),
            ),
            (
                f"Produits qui font 80{_}%",
                f"Le plus petit nombre de meilleures ventes qui rapportent ensemble au moins 80{_}% du CA.",
            ),
            (
                "Premium",
                (
                    f"Le z-score du prix est au-dessus de {score}{_}: le prix dépasse de plus de "
                    f"{score} écarts-types le prix "
                    "moyen de tous les produits (écart-type de la population)."
                ),
            ),
            (
                "Vendu depuis",
                (
                    f"De combien le compteur de la boutique a monté depuis le mois comparé{_}; en "
                    "euros, fois le prix actuel. "
                    "C'est ce qui s'est vendu entre les deux relevés."
                ),
            ),
            (
                "Nouveaux prix",
                (
                    "Ce qu'un nouveau prix change au CA des unités vendues auparavant. Il "
                    "déplace le total sans une vente et "
                    "figure donc à part."
                ),
            ),
            (
                "Nouveau, disparu",
                "Un produit que seul ce mois contient, ou seul le mois comparé. Il compte avec toutes ses unités.",
            ),
            (
                "Compteur en baisse",
                (
                    "Un compteur de ventes ne fait que monter. S'il a baissé, une commande a été "
                    "supprimée ou le produit recréé "
                    f"dans la boutique{_}; la baisse figure à part et n'est jamais déduite des ventes."
                ),
            ),
            (
                "Épuisé, presque épuisé",
                f"Produits déjà vendus sans bouteille dans le stock de l'ERP, ou avec moins de {LOW_STOCK}.",
            ),
            ("Dormant", f"Produits en stock dont pas une unité n'a jamais été vendue{_}; évalués au prix de vente."),
            (
                "Mois restants",
                (
                    "Bouteilles en stock divisées par les unités vendues par mois depuis le mois "
                    f"comparé{_}; vide si rien n'a "
                    "été vendu depuis."
                ),
            ),
            (
                "Ce qui manque",
                (
                    "Les lignes sans correspondance dans les autres classeurs sont écartées, et "
                    "comptées avec les unités qu'elles "
                    "portent. Ces unités n'ont pas de prix et ne sont dans aucun chiffre."
                ),
            ),
        ]
