"""What can go wrong through no fault of pop's: each docstring is the sentence an operator reads."""

from pop.sentence import PopError as PopError


def told(name: str, sentence: str) -> PopError:
    """An error that was raised elsewhere, where it said so; its fields stay there."""
    kind = globals().get(name)
    known = isinstance(kind, type) and issubclass(kind, PopError)
    error: PopError = kind() if known else Elsewhere()  # type: ignore[misc]  # it is a type
    error.sentence = sentence
    return error


# ZooKeeper


class BadServers(PopError):
    """{reason}. Write ZooKeeper's address as HOST:PORT[,HOST:PORT...][/chroot]."""


class Unreachable(PopError):
    """No ZooKeeper answers at {servers} ({reason}). Start it, or name another with
    --zookeeper."""


class BadEmbedded(PopError):
    """A ZooKeeper of one's own listens at one address, and not at {servers}. With --embedded, name
    one address of this machine with --zookeeper, and no chroot."""


class NoChroot(PopError):
    """The chroot in {servers} does not exist. Make that node first, or use --path-prefix instead,
    which "pop init" makes."""


class NotInitialised(PopError):
    """There is no pop namespace at {path} on this ZooKeeper. Make it with "pop init"."""


class AlreadyInitialised(PopError):
    """The namespace at {path} exists already (services: {services}, machines: {machines}).
    "pop init --force" removes them all and starts afresh."""


class Forbidden(PopError):
    """ZooKeeper refuses access to {path}. Give the identity that "pop init" was given, with
    --admin-identity USER:PASSWORD or POP_ADMIN_IDENTITY."""


class Unprotected(PopError):
    """The namespace at {path} is open to everybody, so that nobody can vouch for agents and
    administrators in it: its agents answer on their own machines only. Protect it with
    "pop init --admin-identity" to administer them from others."""


class NoIdentity(PopError):
    """Agents are administered from other machines by the admin identity alone. Give the one that
    "pop init" was given, with --admin-identity USER:PASSWORD or POP_ADMIN_IDENTITY."""


class BadAuthority(PopError):
    """The authority at {path} is not believed: {reason}. Delete that node, and an agent with
    --admin makes another."""


class NoAuthority(PopError):
    """There is no authority at {path} yet, so that nobody can prove who they are. An agent that is
    started with --admin makes it."""


class BadAdmin(PopError):
    """An agent cannot be administered at "{given}": {reason}. Write it as tls:PORT,
    tls:PORT:interface=ADDRESS, or with :host=NAME behind it, if others reach it by that name."""


class BadIdentity(PopError):
    """The admin identity is not of the form USER:PASSWORD."""


class BadIdentityFile(PopError):
    """The admin identity cannot be read from {path}: {reason}."""


class BadTimeout(PopError):
    """The session timeout "{given}" is not a number of seconds above 0 and at most {longest:g}."""


class NoAnswer(PopError):
    """ZooKeeper did not answer within {seconds:g} seconds. Nothing is known to have changed;
    look with "pop status", and try again or give --timeout."""


class ConnectionBroke(PopError):
    """The connection to ZooKeeper at {servers} broke before it answered. What was asked may or
    may not be done; look with "pop status"."""


class Refused(PopError):
    """ZooKeeper refused: {reason}."""


class TooLarge(PopError):
    """That is more than ZooKeeper takes in one change (1 MB). Do it in smaller parts."""


class BrokenNode(PopError):
    """The node {path} is broken: {reason}. Write it anew with "pop load" or any ZooKeeper
    client."""


class Contended(PopError):
    """Others kept changing {path} at the same time. Nothing was changed; try again."""


# Services and their settings


class BadName(PopError):
    """ "{name}" cannot be the name of a {kind}: {reason}."""


class BadPrefix(PopError):
    """ "{path}" cannot be a path prefix: {reason}. Write it like /pop."""


class NoSuchService(PopError):
    """There is no service "{service}". "pop status" lists the services there are."""


class ServiceExists(PopError):
    """There is a service "{service}" already. Choose another --name, or change it with "pop
    set"."""


class StillDeployed(PopError):
    """The service "{service}" is deployed on {machines}. Undeploy it first, or remove it all
    the same with --force."""


class NoSuchType(PopError):
    """There is no service type "{type}" here{hint}. "pop types" lists the types there are."""


class BrokenType(PopError):
    """The service type module {module} cannot be used: {reason}."""


class NoSuchSetting(PopError):
    """The service type "{type}" has no setting "{setting}"{hint}. "pop types {type}" lists its
    settings."""


class BadSetting(PopError):
    """The setting "{setting}" of type "{type}" cannot be {value}: {reason}."""


class MissingSetting(PopError):
    """The service type "{type}" needs the setting "{setting}": {title}."""


class NoSuchTask(PopError):
    """The service type "{type}" has no task "{task}"{hint}. "pop run SERVICE" lists the tasks of a
    service."""


class BadArgument(PopError):
    """The argument "{argument}" of the task "{task}" cannot be {value}: {reason}."""


class ContradictoryArguments(PopError):
    """These arguments of the task "{task}" do not go together: {reason}."""


class TasksBusy(PopError):
    """A task of the service "{service}" is run already, by {who}. Wait for it without --no-wait."""


class RunLost(PopError):
    """The lock of the service "{service}" was lost ({reason}), so the task "{task}" was cancelled.
    "pop runs {service}" tells how far it came."""


class NotDeployedThere(PopError):
    """The service "{service}" is not deployed on {machine}; it is on {machines}."""


class NoSuchMachine(PopError):
    """No machine "{machine}" is known: no agent ever ran there{hint}. "pop machines" lists the
    machines; --force deploys ahead of the agent."""


class NotDeployed(PopError):
    """The service "{service}" is not deployed anywhere. Do that with "pop deploy {service}"."""


class NotReady(PopError):
    """The service "{service}" is not ready on {machine} ({phase}{why}). There, "pop logs
    {service}" prints its output."""


class RollStopped(PopError):
    """The restart of "{service}" stopped on {machine}: {reason}. As before: {left}. Change the
    settings, or restart it once more, to go on."""


class RollHeldUp(PopError):
    """The restart of "{service}" waits for {machines}, out of service for {seconds:g} seconds. It
    goes on by itself; undeploy what does not return, or "pop restart {service}" goes at once."""


class NotReported(PopError):
    """The service "{service}" is deployed on {machine}, but nothing is reported of it there, after
    {seconds:g} seconds. Does that machine's agent run? "pop machines" says so."""


class ContradictorySettings(PopError):
    """These settings of type "{type}" do not go together: {reason}."""


class NoLog(PopError):
    """The service "{service}" has no log on this machine, in {directory}. "pop status {service}"
    says where it runs."""


class NotGone(PopError):
    """The service "{service}" has not stopped on {machine} within {seconds:g} seconds ({phase})."""


class BadFile(PopError):
    """The file {path} cannot be loaded: {reason}. Nothing was changed."""


class NoStory(PopError):
    """Nothing is known of the service "{service}" on the machine {machine}: it is deployed
    on {machines}."""


class NoJournal(PopError):
    """Nothing is noted of the service "{service}" on this machine, and it cannot be asked where it
    is deployed: {reason}"""


# Machines and agents


class BadLabel(PopError):
    """The label "{label}" is not of the form KEY=VALUE."""


class AgentRuns(PopError):
    """An agent (pid {pid}) already runs with the state directory {directory}. Stop it with
    "pop stop", or choose another --state-dir."""


class MachineTaken(PopError):
    """The machine {machine} has an agent already (pid {pid} on {host}, state directory
    {directory}). Stop that one, or choose another --machine-id. If it died just now, wait
    {seconds:g} seconds."""


class NoAgent(PopError):
    """No agent runs with the state directory {directory}. Start one with "pop start"."""


class AgentFailed(PopError):
    """The agent did not start: {reason}"""


class AgentStays(PopError):
    """The agent (pid {pid}) has not stopped within {seconds:g} seconds. It goes on stopping
    its services; see {log}."""


class NotRegistered(PopError):
    """The agent (pid {pid}) is not registered in ZooKeeper as that of machine {machine} yet. Wait
    a little, or see {log}."""


class NotUpgraded(PopError):
    """The agent goes on as it is (pop {version}), since the version that is installed now cannot
    take over: {reason}."""


class AgentGone(PopError):
    """The agent (pid {pid}) has ended while it was to be upgraded; its services go on. See {log},
    and start it with "pop start"."""


class NotYetUpgraded(PopError):
    """The agent (pid {pid}) has not registered anew within {seconds:g} seconds; see {log}."""


class BadStateDirectory(PopError):
    """The state directory {directory} cannot be used: {reason}. Choose another with
    --state-dir."""


class Silent(PopError):
    """The agent of {machine} has not answered within {seconds:g} seconds."""


class UnknownMachine(PopError):
    """No machine "{machine}" is known, by its id or by its host's name. "pop machines" lists
    them."""


class NotHere(PopError):
    """No instance of "{service}" runs on {machine}{hint}. "pop status {service}" says where it
    does."""


class HeldHere(PopError):
    """The service "{service}" should not run on {machine} ({why})."""


class NoSuchSignal(PopError):
    """There is no signal "{signal}". Write it as HUP, USR1, TERM and so on."""


class AgentLost(PopError):
    """The connection to the agent of {machine} broke before it answered. What was asked may or may
    not be done."""


class AgentErred(PopError):
    """The agent of {machine} failed at that ({reason}). Its log says more."""


class AgentBusy(PopError):
    """The agent of {machine} is asked for more than {most} things at once. Try again."""


class AgentDiffers(PopError):
    """The agent of {machine} does not know that request: it is of another version than this one.
    Have it upgraded, with "pop upgrade" there."""


class NotConnected(PopError):
    """No agent of {machine} is connected to ZooKeeper just now. There, "pop start" starts one."""


class AgentSilent(PopError):
    """The agent of {machine} does not answer at {where} ({reason})."""


class NotSpawned(PopError):
    """{reason}."""


class NotBuilt(PopError):
    """Its Python environment cannot be built: {reason}."""


class NoEnvironment(PopError):
    """The Python environment of the service "{service}" is not built yet on this machine; "pop
    status {service}" says how that goes."""


class NoOtherEnvironment(PopError):
    """The service "{service}" has had no other Python environment on this machine, so there is
    none to go back to. "pop run {service} packages" lists what is in the present one."""


class NotDone(PopError):
    """The service "{service}" does not do that: {reason}."""


class NotBackedUp(PopError):
    """It cannot be backed up to {directory}: {reason}."""


class CheckFailed(PopError):
    """{reason}."""


class Elsewhere(PopError):
    """{reason}."""


class NoShell(PopError):
    """The service "{service}" has no shell on this machine: it is not ready here, or its type is
    not "components". "pop status {service}" says more."""


class ShellGone(PopError):
    """The shell of the service "{service}" at {path} does not answer: {reason}."""
