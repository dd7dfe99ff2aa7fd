using System.Text;
using System.Text.Json;

namespace PsyLite.Engine.Remote;

/// <summary>A streamed reply whose first piece of text has come; letting go of it closes the connection, which stops the endpoint.</summary>
internal sealed class RemoteReply : IAsyncDisposable
{
    /// <summary>No reply comes near this.</summary>
    private const long MostBytes = 64 << 20;
    private readonly Endpoint endpoint;
    private readonly IDisposable lease;
    private readonly HttpResponseMessage response;
    private readonly CancellationTokenSource timer;
    private readonly CancellationTokenSource either;
    private readonly CancellationToken stopped;
    private readonly TimeSpan idle;
    private IAsyncEnumerator<RemotePiece>? pieces;
    private bool hasFinish;

    private RemoteReply(Endpoint endpoint, IDisposable lease, HttpResponseMessage response, CancellationTokenSource timer, CancellationTokenSource either, TimeSpan idle, CancellationToken stopped) =>
        (this.endpoint, this.lease, this.response, this.timer, this.either, this.idle, this.stopped) = (endpoint, lease, response, timer, either, idle, stopped);

    public Endpoint Endpoint => endpoint;

    /// <summary>The piece that came last; before the first move, the one that carried the first text.</summary>
    public RemotePiece Current { get; private set; } = new();

    /// <summary>Sends the request and waits for the first text.</summary>
    /// <exception cref="RemoteException">It did not come.</exception>
    public static async Task<RemoteReply> OpenAsync(Endpoint endpoint, RemoteHttp http, IRemoteProtocol protocol, byte[] body, RemoteOptions options, TimeProvider time, CancellationToken cancellationToken, string? onceKey = null)
    {
        var lease = endpoint.Enter();
        var timer = new CancellationTokenSource(options.FirstToken, time);
        var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        RemoteReply? reply = null;
        try
        {
            var response = await http.PostAsync(endpoint, protocol.ChatAddress(endpoint.Address), body, either.Token, cancellationToken, onceKey);
            reply = new RemoteReply(endpoint, lease, response, timer, either, options.Idle, cancellationToken);
            await reply.BeginAsync(protocol);
            return reply;
        }
        catch
        {
            if (reply is not null)
            {
                await reply.DisposeAsync();
            }
            else
            {
                lease.Dispose();
                either.Dispose();
                timer.Dispose();
            }

            throw;
        }
    }

    /// <summary>False when the reply has ended as it should.</summary>
    /// <exception cref="RemoteException">It broke off, fell silent or made no sense.</exception>
    public async Task<bool> MoveAsync()
    {
        timer.CancelAfter(idle);
        return await NextAsync("stopped in the middle of its reply");
    }

    public async ValueTask DisposeAsync()
    {
        await either.CancelAsync();
        response.Dispose();
        if (pieces is not null)
        {
            await pieces.DisposeAsync();
        }

        lease.Dispose();
        either.Dispose();
        timer.Dispose();
    }

    private async Task BeginAsync(IRemoteProtocol protocol)
    {
        var stream = new BoundedStream(await response.Content.ReadAsStreamAsync(either.Token), MostBytes);
        pieces = protocol.ReadAsync(stream, either.Token).GetAsyncEnumerator(either.Token);
        while (await NextAsync("gave no first token") && !Current.HasText && Current.Finish is null)
        {
            // Role announcements and pings are no text.
        }
    }

    private async Task<bool> NextAsync(string failure)
    {
        try
        {
            if (Current.IsEnd || !await pieces!.MoveNextAsync())
            {
                return hasFinish ? false : throw new RemoteException($"{endpoint.Address.Authority} {failure}: the connection ended.");
            }

            Current = pieces.Current;
            hasFinish |= Current.Finish is not null;
            return !Current.IsEnd || Current.Finish is not null || Current.HasText || (hasFinish ? false : throw new RemoteException($"{endpoint.Address.Authority} {failure}: it ended without a reason."));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw new RemoteException($"{endpoint.Address.Authority} {failure}: it sent what is not in its protocol.", fault);
        }
        catch (OperationCanceledException fault) when (!stopped.IsCancellationRequested)
        {
            throw new RemoteException($"{endpoint.Address.Authority} {failure}: it fell silent.", fault);
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            throw new RemoteException($"{endpoint.Address.Authority} {failure}: the connection broke.", fault);
        }
    }
}
