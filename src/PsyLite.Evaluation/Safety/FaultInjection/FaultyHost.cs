using PsyLite.Agent.Crisis;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>A desk and a log of the host that are down.</summary>
internal sealed class FaultyHost : ITakeoverDesk, IAuditLog
{
    public void Raise(TakeoverTicket ticket) => throw new IOException(Fault.Secret);

    public void Close(string ticketId) => throw new IOException(Fault.Secret);

    public void Write(AuditRecord record) => throw new IOException(Fault.Secret);
}
