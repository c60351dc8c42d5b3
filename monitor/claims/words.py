"""The words of the documents, in French, English and German."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("fr", "en", "de")

WORDS: Mapping[str, tuple[str, str, str]] = {
    # what the documents are
    "claim title": (
        "Demande de crédit au titre du SLA",
        "Claim for an SLA credit",
        "Forderung einer SLA-Gutschrift",
    ),
    "report title": ("Rapport de disponibilité", "Availability report", "Verfügbarkeitsbericht"),
    "page": ("page {page} sur {pages}", "page {page} of {pages}", "Seite {page} von {pages}"),
    "attached": (
        "Ce document contient en pièce jointe les mêmes données sous forme JSON ({name}).",
        "The same data is attached to this document as JSON ({name}).",
        "Dieselben Daten liegen diesem Dokument als JSON bei ({name}).",
    ),
    "breaches": ("Garanties non tenues", "Guarantees not met", "Nicht eingehaltene Zusicherungen"),
    "credits": ("Crédits dus", "Credits owed", "Geschuldete Gutschriften"),
    "preliminary": ("provisoire", "preliminary", "vorläufig"),
    # labels
    "customer": ("Client", "Customer", "Kunde"),
    "provider": ("Fournisseur", "Provider", "Anbieter"),
    "service": ("Service", "Service", "Dienst"),
    "services": ("Services", "Services", "Dienste"),
    "plan": ("Formule", "Plan", "Tarif"),
    "month": ("Mois", "Month", "Monat"),
    "time zone": ("Fuseau horaire", "Time zone", "Zeitzone"),
    "measured": ("Période mesurée", "Measured period", "Gemessener Zeitraum"),
    "from to": ("du {start} au {end}", "{start} to {end}", "{start} bis {end}"),
    "guarantee": ("Disponibilité garantie", "Guaranteed availability", "Zugesicherte Verfügbarkeit"),
    "availability": ("Disponibilité mesurée", "Measured availability", "Gemessene Verfügbarkeit"),
    "downtime": ("Indisponibilité", "Downtime", "Ausfallzeit"),
    "allowed": ("Indisponibilité admise", "Allowed downtime", "Zulässige Ausfallzeit"),
    "excluded": ("Temps exclu", "Excluded time", "Ausgenommene Zeit"),
    "degraded": ("Temps dégradé", "Degraded time", "Zeit mit Einschränkungen"),
    "unknown": ("Temps non observé", "Time not observed", "Nicht beobachtete Zeit"),
    "coverage": ("Taux d’observation", "Coverage", "Beobachtungsgrad"),
    "outages": ("Interruptions", "Outages", "Ausfälle"),
    "amount": ("Montant demandé", "Amount claimed", "Geforderter Betrag"),
    "total": ("Total demandé", "Total claimed", "Gesamtforderung"),
    "credit": ("Crédit", "Credit", "Gutschrift"),
    "claim": ("Réclamation n°", "Claim no.", "Forderung Nr."),
    "state": ("État", "State", "Stand"),
    "since": ("{state}, depuis le {at}", "{state}, since {at}", "{state}, seit {at}"),
    "reference": ("Référence du fournisseur", "Provider’s reference", "Zeichen des Anbieters"),
    "revision": ("Révision du mois", "Revision of the month", "Revision des Monats"),
    "frozen": (
        "{revision}, arrêtée le {at} ({reason})",
        "{revision}, frozen {at} ({reason})",
        "{revision}, festgeschrieben {at} ({reason})",
    ),
    "amends": ("Remplace", "Replaces", "Ersetzt"),
    "replaced": (
        "la réclamation {uid} de {amount}",
        "claim {uid} of {amount}",
        "die Forderung {uid} über {amount}",
    ),
    "difference": ("Différence", "Difference", "Unterschied"),
    "send before": ("À envoyer avant le", "To be sent before", "Zu senden vor dem"),
    "as of": ("Situation au", "As of", "Stand vom"),
    "agreed later": ("à convenir", "to be agreed", "zu vereinbaren"),
    "none": ("aucune", "none", "keine"),
    "clock": ("Délai dépassé", "Breached clock", "Überschrittene Frist"),
    "mrt": ("temps de réponse (MRT)", "response time (MRT)", "Reaktionszeit (MRT)"),
    "tti": ("délai d’intervention (DMI)", "time to intervention (TTI)", "Zeit bis zum Eingriff (TTI)"),
    "ttr": ("délai de résolution (DTR)", "time to resolution (TTR)", "Zeit bis zur Behebung (TTR)"),
    # verdicts
    "breach": (
        "La garantie n’a pas été tenue : {availability} au lieu de {guarantee}.",
        "The guarantee was not met: {availability} instead of {guarantee}.",
        "Die Zusicherung wurde nicht eingehalten: {availability} statt {guarantee}.",
    ),
    "met": (
        "La garantie de {guarantee} a été tenue : {availability}.",
        "The guarantee of {guarantee} was met: {availability}.",
        "Die Zusicherung von {guarantee} wurde eingehalten: {availability}.",
    ),
    "no guarantee": (
        "Aucune disponibilité n’est garantie ; mesurée : {availability}.",
        "No availability is guaranteed; measured: {availability}.",
        "Keine Verfügbarkeit ist zugesichert; gemessen: {availability}.",
    ),
    "response breach": (
        "Un délai convenu n’a pas été tenu : {clock}.",
        "An agreed time was not kept: {clock}.",
        "Eine vereinbarte Frist wurde nicht eingehalten: {clock}.",
    ),
    "running": (
        "Le mois n’est pas terminé : chiffres jusqu’au {at}.",
        "The month is not complete: figures up to {at}.",
        "Der Monat ist nicht zu Ende: Zahlen bis {at}.",
    ),
    "not measured": ("non mesurée", "not measured", "nicht gemessen"),
    # tables
    "number": ("N°", "No.", "Nr."),
    "start": ("Début", "Start", "Beginn"),
    "end": ("Fin", "End", "Ende"),
    "duration": ("Durée", "Duration", "Dauer"),
    "least": ("Au moins", "At least", "Mindestens"),
    "most": ("Au plus", "At most", "Höchstens"),
    "counted": ("Décompté", "Counted", "Angerechnet"),
    "cause": ("Constat", "Finding", "Befund"),
    "not seen": ("non observé", "not seen", "nicht beobachtet"),
    "bounds": (
        "Début : première sonde en échec ; fin : première sonde réussie. « Au moins » va du premier au dernier échec, "
        "« au plus » de la dernière réussite avant à la première après. « Décompté » : dans le mois, exclusions "
        "déduites.",
        "Start: first probe that failed; end: first probe that succeeded. “At least” is from the first failure to the "
        "last, “at most” from the last success before to the first one after. “Counted”: in the month, after "
        "exclusions.",
        "Beginn: erste fehlgeschlagene Prüfung; Ende: erste gelungene. „Mindestens“ reicht vom ersten bis zum letzten "
        "Fehlschlag, „höchstens“ vom letzten Erfolg davor bis zum ersten danach. „Angerechnet“: im Monat, nach Abzug "
        "der Ausnahmen.",
    ),
    "exclusions": ("Exclusions", "Exclusions", "Ausnahmen"),
    "class": ("Catégorie", "Class", "Art"),
    "maintenance": ("maintenance annoncée", "maintenance", "Wartung"),
    "force_majeure": ("force majeure", "force majeure", "höhere Gewalt"),
    "third_party": ("tiers", "third party", "Dritte"),
    "customer class": ("client", "customer", "Kunde"),
    "reason": ("Motif", "Reason", "Grund"),
    "author": ("Saisie par", "Entered by", "Erfasst von"),
    "incidents": ("Incidents et tickets", "Incidents and tickets", "Störungen und Tickets"),
    "ticket": ("Ticket", "Ticket", "Ticket"),
    "title": ("Objet", "Subject", "Betreff"),
    "reported": ("Signalé", "Reported", "Gemeldet"),
    "acknowledged": ("Pris en compte", "Acknowledged", "Angenommen"),
    "intervention": ("Intervention", "Intervention", "Eingriff"),
    "resolved": ("Résolu", "Resolved", "Behoben"),
    "evidence": ("Preuves", "Evidence", "Nachweise"),
    "check": ("Contrôle", "Check", "Prüfung"),
    "vantage": ("Sonde", "Probe host", "Messpunkt"),
    "sent": ("Envoi", "Sent", "Gesendet"),
    "verdict": ("Verdict", "Verdict", "Urteil"),
    "round trip": ("Aller-retour", "Round trip", "Laufzeit"),
    # the calculation
    "calculation": ("Calcul", "Calculation", "Berechnung"),
    "step": ("Étape", "Step", "Schritt"),
    "how": ("Comment", "How", "Wie"),
    "result": ("Résultat", "Result", "Ergebnis"),
    "T": ("Temps mesuré T", "Measured time T", "Gemessene Zeit T"),
    "T how": (
        "le mois, dans les limites du contrat",
        "the month within the contract",
        "der Monat im Rahmen des Vertrags",
    ),
    "D": ("Indisponibilité D", "Downtime D", "Ausfallzeit D"),
    "D how": (
        "après exclusions, toutes les interruptions du mois",
        "after exclusions, all outages of the month",
        "nach Ausnahmen, alle Ausfälle des Monats",
    ),
    "A": ("Disponibilité A", "Availability A", "Verfügbarkeit A"),
    "G": ("Garantie", "Guarantee", "Zusicherung"),
    "G how": ("de la formule", "of the plan", "des Tarifs"),
    "B": ("Manquement", "Breach", "Verletzung"),
    "B how": (
        "A est inférieure à la garantie",
        "A is less than the guarantee",
        "A ist kleiner als die Zusicherung",
    ),
    "yes": ("oui", "yes", "ja"),
    "no": ("non", "no", "nein"),
    "H": ("Heures H", "Hours H", "Stunden H"),
    "H started": (
        "chaque interruption arrondie à l’heure supérieure : {hours}",
        "each outage rounded up to whole hours: {hours}",
        "jeder Ausfall auf volle Stunden aufgerundet: {hours}",
    ),
    "H whole": (
        "chaque interruption arrondie à l’heure inférieure : {hours}",
        "each outage rounded down to whole hours: {hours}",
        "jeder Ausfall auf volle Stunden abgerundet: {hours}",
    ),
    "cap": ("Plafond", "Cap", "Obergrenze"),
    "lesser": ("le moindre des deux", "the lesser of the two", "der kleinere der beiden Beträge"),
    "not capped": ("sans plafond", "not capped", "ohne Obergrenze"),
    "monthly fee": ("Redevance mensuelle", "Monthly fee", "Monatliche Gebühr"),
    "truncated": (
        "Les pourcentages sont tronqués, jamais arrondis ; la comparaison est exacte.",
        "Percentages are truncated, never rounded; the comparison is exact.",
        "Prozentwerte sind abgeschnitten, nie gerundet; der Vergleich ist genau.",
    ),
    # the drawing
    "drawing": ("Le mois, jour par jour", "The month, day by day", "Der Monat, Tag für Tag"),
    "drawn down": ("interruption", "outage", "Ausfall"),
    "drawn excluded": ("exclusion", "exclusion", "Ausnahme"),
    "drawn measured": ("mesuré", "measured", "gemessen"),
    "drawn about": (
        "Dessin du mois : {outages} interruptions, {excluded} exclusions ; les instants sont dans les tableaux.",
        "Drawing of the month: {outages} outages, {excluded} exclusions; the tables have the instants.",
        "Zeichnung des Monats: {outages} Ausfälle, {excluded} Ausnahmen; die Zeitpunkte stehen in den Tabellen.",
    ),
    # states of a claim
    "draft": ("brouillon", "draft", "Entwurf"),
    "approved": ("approuvée", "approved", "freigegeben"),
    "submitted": ("envoyée", "submitted", "eingereicht"),
    "accepted": ("acceptée", "accepted", "angenommen"),
    "partly accepted": ("acceptée en partie", "partly accepted", "teilweise angenommen"),
    "rejected": ("refusée", "rejected", "abgelehnt"),
    "withdrawn": ("retirée", "withdrawn", "zurückgezogen"),
    "superseded": ("remplacée", "superseded", "ersetzt"),
    "paid": ("payée", "paid", "bezahlt"),
    # units
    "day": ("j", "d", "T"),
}

RECORDED: Mapping[str, tuple[str, str, str]] = {
    "good": ("réussi", "good", "gut"),
    "degraded": ("dégradé", "degraded", "eingeschränkt"),
    "bad": ("échec", "bad", "schlecht"),
    "not_asked": ("non posée", "not asked", "nicht gefragt"),
    "the guarantee was met": (
        "la garantie a été tenue",
        "the guarantee was met",
        "die Zusicherung wurde eingehalten",
    ),
    "nothing was measured": ("rien n’a été mesuré", "nothing was measured", "nichts wurde gemessen"),
    "the month is over": ("le mois est terminé", "the month is over", "der Monat ist zu Ende"),
    "imported": ("repris d’un historique", "from an imported history", "aus einem importierten Verlauf"),
    "recorded late by the agent": (
        "enregistré tardivement par l’agent",
        "recorded late by the agent",
        "vom Agenten verspätet aufgezeichnet",
    ),
}
"""What Ringback itself records in words; all else that is recorded stands as it was written."""

RECORDED_OF: tuple[tuple[str, str, str], ...] = (
    (
        "exclusion {uid} saisie par {author}\u202f: {reason}",
        "exclusion {uid} entered by {author}: {reason}",
        "Ausnahme {uid} erfasst von {author}: {reason}",
    ),
    (
        "exclusion {uid} retirée par {author}\u202f: {reason}",
        "exclusion {uid} withdrawn by {author}: {reason}",
        "Ausnahme {uid} zurückgezogen von {author}: {reason}",
    ),
    (
        "{count} exclusions saisies par {author}\u202f: {reason}",
        "{count} exclusions entered by {author}: {reason}",
        "{count} Ausnahmen erfasst von {author}: {reason}",
    ),
    (
        "correction {uid} saisie par {author}\u202f: {reason}",
        "correction {uid} entered by {author}: {reason}",
        "Berichtigung {uid} erfasst von {author}: {reason}",
    ),
    (
        "correction {uid} retirée par {author}\u202f: {reason}",
        "correction {uid} withdrawn by {author}: {reason}",
        "Berichtigung {uid} zurückgezogen von {author}: {reason}",
    ),
    (
        "calendrier repris par {author}",
        "calendar imported by {author}",
        "Kalender importiert von {author}",
    ),
    (
        "historique repris de {source}",
        "history imported from {source}",
        "Verlauf importiert aus {source}",
    ),
    (
        "recalculé à la demande de {author}\u202f: {reason}",
        "reopened by {author}: {reason}",
        "neu berechnet auf Wunsch von {author}: {reason}",
    ),
)
"""Reasons that Ringback records with what people gave: the names and reasons stand as they were written."""
