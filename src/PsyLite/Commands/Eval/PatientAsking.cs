using PsyLite.Engine.Remote;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Commands.Eval;

/// <summary>
/// Asks an engine elsewhere so that hours of a run do not hang on one bad minute: what may pass is waited for, and a request that the
/// engine will not take, such as one longer than its context, is an answer that says so.
/// </summary>
internal static class PatientAsking
{
    /// <summary>Before each further attempt; longer than an endpoint that failed too often is left alone.</summary>
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(16), TimeSpan.FromSeconds(60)];

    /// <exception cref="RemoteException">The endpoint is gone for good, or takes neither key nor model.</exception>
    public static AskModel Of(AskModel ask, TimeProvider time) => async (messages, sampling, cancellationToken) =>
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ask(messages, sampling, cancellationToken);
            }
            catch (RemoteException fault) when (fault.IsRequestFault)
            {
                return new Answer("", Finish: Answer.Refused, Note: fault.Message);
            }
            catch (RemoteException fault) when (attempt < Waits.Length && fault.Status is not (401 or 403 or 404))
            {
                await Task.Delay(Waits[attempt], time, cancellationToken);
            }
        }
    };
}
