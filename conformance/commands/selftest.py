"""`conformance selftest`: shows that the suite finds known faults, and nothing in conformant implementations."""

import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.refused import Refused

if TYPE_CHECKING:
    from conformance.harness.selftest import Result


@click.command(short_help="Run the suite against implementations with known faults.")
@click.option(
    "--fault", "fault_globs", multiple=True, metavar="GLOB", help="Faults to examine; may be repeated."
)
@click.option("--rule", "rule_globs", multiple=True, metavar="GLOB", help="Faults that break these rules.")
@click.option(
    "--variant", "variant_globs", multiple=True, metavar="GLOB", help="Conformant variants to examine."
)
@click.option(
    "--combinations", type=click.IntRange(0), default=0, help="Random sets of variants to examine too."
)
@click.option(
    "--sample", is_flag=True, help="Of the faults, examine one for each rule and group; --seed chooses which."
)
@click.option(
    "--hidden",
    is_flag=True,
    help="Examine the hidden faults, which show on an occasion only, and nothing else.",
)
@click.option("--pairs", type=click.IntRange(0), default=0, help="Random pairs of faults to examine too.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard"]),
    default="standard",
    show_default=True,
    help="How much each run sends.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the runs, of the random sets and of the sample.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    help="Runs at a time (default: one for each processor).",
)
@click.option("--fail-fast", is_flag=True, help="End each run at its first deviation.")
@click.option(
    "--alone",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail when fewer of the faults are reported alone.",
)
@click.option(
    "--caught",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail when fewer of the faults that break a MUST rule are caught, and not when one is missed.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrix here."
)
def selftest(
    fault_globs: tuple[str, ...],
    rule_globs: tuple[str, ...],
    variant_globs: tuple[str, ...],
    combinations: int,
    sample: bool,
    hidden: bool,
    pairs: int,
    profile: str,
    seed: int,
    jobs: int,
    fail_fast: bool,
    alone: float | None,
    caught: float | None,
    json_file: Path | None,
) -> None:
    """
    Run the suite against implementations with known faults, and against conformant ones.

    Without --fault, --rule and --variant, the command examines all variants, and all faults but the hidden ones, which
    show on an occasion only. --hidden examines those alone.

    It prints a line for each implementation, and then a table by rule; with --hidden, by kind of fault. Of the faults
    that break the rule, the table counts those that were caught (any rule was reported), those that were caught as such
    (the rule itself was reported), and those that were caught alone (nothing was reported that the fault does not
    explain). It also has the median number of requests to the first report.

    Exit status 1: a variant was not found conformant, a fault was missed (with --caught: fewer were caught), or fewer
    than --alone asks for were reported alone.
    """
    from conformance import emulator
    from conformance.emulator.demonstration import is_masked
    from conformance.harness import selftest as proof
    from conformance.rules import BY_ID

    everything = not (fault_globs or rule_globs or variant_globs)

    def wanted(name: str, globs: tuple[str, ...]) -> bool:
        return everything or any(fnmatchcase(name, glob) for glob in globs)

    chosen = [
        fault
        for fault in emulator.FAULTS.values()
        if (fault.name in emulator.HIDDEN) == hidden
        and (wanted(fault.name, fault_globs) or wanted(fault.rule, rule_globs))
    ]
    if sample:
        names = proof.sample({fault.name: (fault.rule, fault.group) for fault in chosen}, seed)
        chosen = [emulator.FAULTS[name] for name in names]
    faults = [
        proof.Subject(
            faults=(fault.name,),
            rules=(fault.rule,),
            consequences=fault.consequences,
            level=BY_ID[fault.rule].level,
            kind=fault.group,
        )
        for fault in chosen
    ]
    variants = [
        name for name in emulator.VARIANTS if wanted(name, variant_globs) and not (everything and hidden)
    ]
    subjects = [
        *(proof.Subject(variants=(name,), accounts=emulator.VARIANTS[name].accounts) for name in variants),
        *proof.combinations(emulator.VARIANTS, combinations, seed),
        *faults,
        *proof.pairs(faults, pairs if len(faults) > 1 else 0, seed, is_masked),
    ]
    if not subjects:
        raise Refused(
            "nothing is selected; `conformance serve --list-faults` and --list-variants list the names"
        )
    results = []
    options = {"emulate": emulator.serving, "profile": profile, "seed": seed, "fail_fast": fail_fast}
    for result in proof.examine_all(subjects, jobs=jobs, **options):
        results.append(result)
        click.echo(_line(result))
    if json_file is not None:
        proof.write(json_file, results)
    _print_counts(proof.by_kind(results) if hidden else proof.by_rule(results))
    figures = proof.summary(results)
    click.echo("\n" + " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items()))
    _print_covered(profile)
    too_few = [
        f"fewer than {least:g} % of the {faults.replace('_', ' ')} were {said}"
        for said, least, number, faults in (
            ("reported alone", alone, "alone", "faults"),
            ("caught", caught, "must_caught", "must_faults"),
        )
        if least is not None and figures[number] * 100 < least * figures[faults]
    ]
    click.echo("\n".join(too_few), nl=bool(too_few))
    counts = [each for each in results if caught is None or each.broken or not each.subject.faults]
    sys.exit(1 if too_few or not all(each.ok for each in counts) else 0)


def _print_covered(profile: str) -> None:
    """Print what the plan of a profile covers, whatever it is sent to."""
    from conformance.harness.figures import figures

    for what, counts in zip(("pairs of manners", "positions"), figures(profile), strict=True):
        said = [f"{name} {each.covered:,} of {each.possible:,}" for name, each in counts.items()]
        click.echo(f"{what} covered: {' · '.join(said)}")


def _print_counts(rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        of = next(iter(row))
        if not number:
            head = f"{of:36} {'level' if 'level' in row else '':6} {'caught':>10} {'as such':>8} {'alone':>6}"
            click.echo(f"\n{head} {'first':>6}  missed")
        caught, first = f"{row['caught']} of {row['faults']}", row["median_requests_to_first"]
        shown = "" if first is None else f"{first:,.0f}"
        missed = " ".join(row["missed"])
        click.echo(
            f"{row[of]:36} {row.get('level', '').upper():6} {caught:>10} {row['attributed']:8} {row['alone']:6}"
            f" {shown:>6}  {missed}"
        )


def _line(result: "Result") -> str:
    if result.broken:
        said = "ENDED BY A BUG"
    elif not result.subject.faults:
        said = "silent" if result.ok else "FALSE ALARM" if result.caught else "NO VERDICT"
    elif not result.ok:
        said = "MISSED"
    else:
        said = "caught by another rule"
        if result.attributed:
            said = "caught alone" if result.alone else "caught"
    where = (
        f"after {result.first:,} of {result.requests:,} requests"
        if result.first
        else f"{result.requests:,} requests"
    )
    rules = ", ".join(dict.fromkeys(finding.rule for finding in result.findings))
    return f"{said:22} {result.subject.name:52} {where:30} {rules}"
