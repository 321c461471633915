"""`langhoc client`: who outside may log in to Kafka, and the configuration that a portal's developer is handed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from cli.deployments import kafka_to_administer
from cli.options import AnyProvince, FormatOption, LanguageOption
from cli.output import Column, CommandError, Format, Language, emit, errors, plain_errors, say
from deploy.local.servers import RELOGIN_SECONDS
from deploy.principals import Principals, PrincipalsRefused, principals_of
from shared.contracts.quotas import Quota
from shared.contracts.rights import SERVICES, Right, province_of, rights
from shared.messaging.access import KafkaAccess
from shared.registry import REORGANISATION, registry

TREASURY = "treasury"
PATIENCE_SECONDS = 15.0
_PASSWORD_BYTES = 32

app = typer.Typer(help="Logins to Kafka for provinces' portals and the treasury: create, rotate, revoke, list.")


class Form(StrEnum):
    """How a client's configuration is written."""

    JAVA = "java"
    PYTHON = "python"
    ENV = "env"


TreasuryOption = Annotated[bool, typer.Option("--treasury", help="For the systems that follow what is paid.")]
ServiceOption = Annotated[
    str | None,
    typer.Option("--service", help=f"On a Kafka of your own, for a service: {', '.join(SERVICES)}."),
]
FormOption = Annotated[
    Form | None,
    typer.Option("--form", help="Java properties, Python, or settings of a process; the first two without."),
]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="client")


@app.command()
def create(
    province: AnyProvince = None,
    treasury: TreasuryOption = False,
    service: ServiceOption = None,
    form: FormOption = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Let a client in, and print its configuration. The password is shown this once, and kept nowhere.

    Example: langhoc client create --province 01 --form java > client.properties
    """
    with plain_errors(), _asked(province, treasury, service, language) as asked:
        if asked.principal in asked.principals.logins():
            raise CommandError(
                f"{asked.principal} đã có đăng nhập. Mất mật khẩu: `langhoc client rotate`."
                if asked.vi
                else f"{asked.principal} has a login already. If its password is lost: `langhoc client rotate`."
            )
        asked.hand_over(form)


@app.command()
def rotate(
    province: AnyProvince = None,
    treasury: TreasuryOption = False,
    service: ServiceOption = None,
    form: FormOption = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Give a client another password. The one before lets nobody in any more; its open connections end in a minute."""
    with plain_errors(), _asked(province, treasury, service, language) as asked:
        if asked.principal not in asked.principals.logins():
            raise CommandError(
                f"{asked.principal} chưa có đăng nhập: `langhoc client create`."
                if asked.vi
                else f"{asked.principal} has no login yet: `langhoc client create`."
            )
        asked.hand_over(form)


@app.command()
def revoke(
    province: AnyProvince = None,
    treasury: TreasuryOption = False,
    service: ServiceOption = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Shut a client out: it may do nothing from now on, and its open connections end within a minute.

    What it has sent stays. To let it in again: langhoc client create.
    """
    with plain_errors(), _asked(province, treasury, service, language) as asked:
        had = asked.principal in asked.principals.logins()
        # Whether it had a login or not: a revocation that broke off is brought to its end.
        asked.principals.dismiss({asked.principal})
        if asked.vi:
            say(f"{asked.principal} {'không còn' if had else 'không có'} đăng nhập và quyền nào.")
            say(f"Kết nối đang mở bị ngắt trong {RELOGIN_SECONDS} giây: connections.max.reauth.ms của máy chủ.")
        else:
            say(f"{asked.principal} has no login and no rights{' any more' if had else ''}.")
            say(f"Open connections are cut within {RELOGIN_SECONDS} s: the broker's connections.max.reauth.ms.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A client that may log in."""

    principal: str
    name: str
    """Of its province."""
    rights: str
    """`as agreed`, or how they differ from what the contracts say."""
    quota: Quota | None


@app.command("list")
def listed(language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE) -> None:
    """Who outside may log in, and whether each may do what the contracts say."""
    with plain_errors(), principals_of(kafka_to_administer()) as principals:
        clients, limits = principals.clients(), principals.quotas()
        rows = [
            Listed(
                principal,
                province_name(province_of(principal)),
                _compared(
                    principals.rights_of(principal), rights(principal), principals.strange_rights(principal), language
                ),
                limits.get(principal),
            )
            for principal in sorted(clients)
        ]
        vi = language is Language.VI
        columns: list[Column[Listed]] = [
            Column("principal", "Đăng nhập" if vi else "Login"),
            Column("name", "Tỉnh" if vi else "Province"),
            Column("rights", "Quyền" if vi else "Rights"),
            Column("quota", "Ghi/đọc mỗi giây" if vi else "Writes/reads a second", shown=_rates),
        ]
        emit(rows, columns, format)
        for each in sorted(principals.rights_of_everybody()):
            said = "Mọi đăng nhập đều có quyền" if vi else "Everybody who can log in has the right"
            errors.print(f"{said}: {each} (langhoc topics apply)", style="red", markup=False, soft_wrap=True)


def _compared(held: set[Right], agreed: frozenset[Right], strange: set[str], language: Language) -> str:
    lacking = sorted(right.name for right in agreed - held)
    more = sorted({right.name for right in held - agreed} | strange)
    vi = language is Language.VI
    told = [
        f"{word}: {', '.join(names)}"
        for word, names in (("thiếu" if vi else "lacking", lacking), ("thừa" if vi else "more", more))
        if names
    ]
    return "; ".join(told) or ("theo quy định" if vi else "as agreed")


def _rates(limit: Quota) -> str:
    return f"{limit.written_bytes / 1024:.0f} / {limit.read_bytes / 1024:.0f} KiB"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A client that is spoken of, on a Kafka that is administered."""

    kafka: KafkaAccess
    principals: Principals
    principal: str
    language: Language

    @property
    def vi(self) -> bool:
        return self.language is Language.VI

    def hand_over(self, form: Form | None) -> None:
        """Let it in with a new password, and print how."""
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        # Rights first: should it break off between, there is nobody yet who could use them, and the order is repeated.
        self.principals.apply({self.principal})
        self.principals.admit({self.principal: password})
        access = KafkaAccess(self.kafka.bootstrap, self.principal, password, self.kafka.security, self.kafka.ca)
        surely_in(access)
        usual = (Form.ENV,) if self.principal in SERVICES else (Form.JAVA, Form.PYTHON)
        say(
            "\n".join(configuration(access, each, self.language) for each in ((form,) if form else usual)),
            soft_wrap=True,
            end="",
        )


def surely_in(access: KafkaAccess) -> None:
    """Return when the brokers let it in, which they do moments after the controller has heard of it.

    Raises `PrincipalsRefused` if they do not at all.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with principals_of(access):
                return
        except PrincipalsRefused:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


@contextmanager
def _asked(province: str | None, treasury: bool, service: str | None, language: Language) -> Iterator[_Asked]:
    principal = named(province, treasury, service, language)
    kafka = kafka_to_administer(services=service is not None)
    if kafka.user is None:
        raise CommandError(
            f"Kafka {kafka.bootstrap} không hỏi đăng nhập, nên không khóa được ai. Đặt kafka_user của quản trị viên."
            if language is Language.VI
            else f"Kafka at {kafka.bootstrap} is used without a login, so nobody can be shut out. Name an "
            "administrator's kafka_user."
        )
    with principals_of(kafka) as principals:
        yield _Asked(kafka, principals, principal, language)


def named(province: str | None, treasury: bool, service: str | None, language: Language = Language.EN) -> str:
    """The principal that the options name. Raises `CommandError` unless it is exactly one, and one of ours."""
    vi = language is Language.VI
    if sum((province is not None, treasury, service is not None)) != 1:
        raise CommandError(
            "Cần đúng một trong: --province, --treasury, --service."
            if vi
            else "Exactly one is needed of: --province, --treasury, --service."
        )
    if service is not None:
        if service not in SERVICES:
            known = ", ".join(SERVICES)
            raise CommandError(
                f"Không có dịch vụ {service!r}. Có: {known}."
                if vi
                else f"There is no service {service!r}. There are: {known}."
            )
        return service
    if province is None:
        return TREASURY
    if not province_name(province):
        # Short enough to be read whole: a code alone tells nobody which one was meant.
        known = ", ".join(f"{each.code} {each.name}" for each in registry().provinces(REORGANISATION))
        raise CommandError(
            f"Không có tỉnh mang mã {province!r}. Có: {known}."
            if vi
            else f"There is no province with code {province!r}. There are: {known}."
        )
    return f"province-{province}"


def province_name(code: str | None) -> str:
    """What a province that has channels is called; nothing for anybody else."""
    found = registry().province(code, REORGANISATION) if code else None
    return found.name if found else ""


# ---------------------------------------------------------------------------------------- configurations


def configuration(access: KafkaAccess, form: Form, language: Language = Language.EN) -> str:
    """A client's configuration, ready to be used; lines of at most 80 columns, as far as names allow."""
    assert access.user is not None
    return _about(access, language) + _WRITERS[form](access)


def _about(access: KafkaAccess, language: Language) -> str:
    assert access.user is not None
    held = sorted(rights(access.user))
    writes, reads = (
        [right.name + ("*" if right.prefixed else "") for right in held if (right.resource, right.operation) == what]
        for what in (("topic", "write"), ("topic", "read"))
    )
    (group,) = [right for right in held if right.resource == "group"]
    name = province_name(province_of(access.user))
    vi = language is Language.VI
    lines = [f"{access.user}, {name}" if name else access.user]
    if writes:
        lines.append(("Ghi: " if vi else "Writes ") + ", ".join(writes))
    lines.append(("Đọc: " if vi else "Reads ") + ", ".join(reads))
    begins = ("Tên nhóm đọc bắt đầu bằng: " if vi else "Names of its groups begin with ") + group.name
    lines.append(begins if group.prefixed else ("Nhóm đọc: " if vi else "Its group ") + group.name)
    lines.append(
        "Mật khẩu chỉ hiện một lần. Mất thì: langhoc client rotate"
        if vi
        else "The password is shown this once. If it is lost: langhoc client rotate"
    )
    if access.ca:
        lines.append(
            f"Chép kèm chứng thư {access.ca} và sửa đường dẫn."
            if vi
            else f"Hand over the certificates {access.ca} too, and set their path."
        )
    return "".join(f"# {line}\n" for line in lines)


def _java(access: KafkaAccess) -> str:
    lines = [
        f"bootstrap.servers={access.bootstrap}",
        f"security.protocol={access.security.upper()}",
        f"sasl.mechanism={access.mechanism}",
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \\",
        f'  required username="{access.user}" \\',
        f'  password="{access.password}";',
    ]
    if access.ca:
        lines += ["ssl.truststore.type=PEM", f"ssl.truststore.location={access.ca}"]
    lines += ["acks=all", "enable.idempotence=true", f"group.id={access.user}.portal", "auto.offset.reset=earliest"]
    return "\n".join(lines) + "\n"


def _python(access: KafkaAccess) -> str:
    settings = {
        "bootstrap_servers": access.bootstrap,
        "security_protocol": access.security.upper(),
        "sasl_mechanism": access.mechanism,
        "sasl_plain_username": access.user,
        "sasl_plain_password": access.password,
    }
    lines = [f"    {name}={value!r}," for name, value in settings.items()]
    if access.security == "sasl_ssl":
        lines.append(f"    ssl_context=ssl.create_default_context(cafile={access.ca and str(access.ca)!r}),")
        lines.insert(0, "import ssl\n\nkafka = dict(")
    else:
        lines.insert(0, "kafka = dict(")
    uses = [
        "# pip install aiokafka",
        '# AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True)',
        f'# AIOKafkaConsumer(topic, **kafka, group_id="{access.user}.portal")',
    ]
    return "\n".join([*uses, *lines, ")"]) + "\n"


def _environment(access: KafkaAccess) -> str:
    return "".join(f"LANGHOC_{name.upper()}={value}\n" for name, value in access.settings.items() if value)


_WRITERS: dict[Form, Callable[[KafkaAccess], str]] = {
    Form.JAVA: _java,
    Form.PYTHON: _python,
    Form.ENV: _environment,
}
