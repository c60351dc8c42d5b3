"""What Ringback records in words, in French, English and German."""

from __future__ import annotations

from collections.abc import Mapping

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
    "the service has no plan": (
        "le service n’a pas de formule",
        "the service has no plan",
        "der Dienst hat keinen Tarif",
    ),
    "the plan guarantees no availability": (
        "la formule ne garantit aucune disponibilité",
        "the plan guarantees no availability",
        "der Tarif sichert keine Verfügbarkeit zu",
    ),
    "the plan has no rate of credit": (
        "la formule ne prévoit pas de taux de crédit",
        "the plan has no rate of credit",
        "der Tarif hat keinen Satz für Gutschriften",
    ),
    "no monthly fee is configured": (
        "aucune redevance mensuelle n’est indiquée",
        "no monthly fee is configured",
        "keine monatliche Gebühr ist angegeben",
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
        "exclusion {uid} saisie par {author}\u00a0: {reason}",
        "exclusion {uid} entered by {author}: {reason}",
        "Ausnahme {uid} erfasst von {author}: {reason}",
    ),
    (
        "exclusion {uid} retirée par {author}\u00a0: {reason}",
        "exclusion {uid} withdrawn by {author}: {reason}",
        "Ausnahme {uid} zurückgezogen von {author}: {reason}",
    ),
    (
        "{count} exclusions saisies par {author}\u00a0: {reason}",
        "{count} exclusions entered by {author}: {reason}",
        "{count} Ausnahmen erfasst von {author}: {reason}",
    ),
    (
        "correction {uid} saisie par {author}\u00a0: {reason}",
        "correction {uid} entered by {author}: {reason}",
        "Berichtigung {uid} erfasst von {author}: {reason}",
    ),
    (
        "correction {uid} retirée par {author}\u00a0: {reason}",
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
        "recalculé à la demande de {author}\u00a0: {reason}",
        "reopened by {author}: {reason}",
        "neu berechnet auf Wunsch von {author}: {reason}",
    ),
)
"""Reasons that Ringback records with what people gave: the names and reasons stand as they were written."""
