using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace PsyLite.Engine.Remote;

/// <summary>
/// HTTP to the endpoints and to nobody else: no redirects, no proxy that the environment may name, no cookies. Waits are the caller's.
/// </summary>
internal sealed class RemoteHttp : IDisposable
{
    private const long MostBytes = 4 << 20;
    private readonly HttpClient client;
    private readonly TimeProvider time;
    private readonly string? key;
    private readonly (string Key, string Address) sources;

    public RemoteHttp(RemoteOptions options, TimeProvider time)
    {
        (this.time, key, sources) = (time, options.Key, (options.KeySource, options.AddressSource));
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.Connect,

            // Closing the connection is what stops an endpoint; reading its reply to the end to use the connection again would not.
            MaxResponseDrainSize = 0,
            ResponseDrainTimeout = TimeSpan.Zero,

            // A connection of its own for each request: one that the engine closes just as it is used again looks like a dead engine.
            PooledConnectionLifetime = TimeSpan.Zero,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The answer's headers; the body is still to come.</summary>
    /// <param name="limited">Ends the wait.</param>
    /// <param name="stopped">Tells a stop by the caller from the end of the wait.</param>
    /// <param name="onceKey">Sent as Idempotency-Key: an endpoint that knows it answers a repeated request from memory.</param>
    /// <exception cref="RemoteException">Nobody answers, or with something else than success.</exception>
    public Task<HttpResponseMessage> PostAsync(Endpoint endpoint, Uri address, byte[] body, CancellationToken limited, CancellationToken stopped, string? onceKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (onceKey is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", onceKey);
        }

        return SendAsync(endpoint, request, limited, stopped);
    }

    /// <summary>A whole answer as JSON, within the time.</summary>
    /// <param name="body">Null for a GET.</param>
    /// <exception cref="RemoteException">It does not come, or is not JSON.</exception>
    public async Task<JsonDocument> AskAsync(Endpoint endpoint, Uri address, byte[]? body, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        using var response = body is null
            ? await SendAsync(endpoint, new HttpRequestMessage(HttpMethod.Get, address), either.Token, cancellationToken)
            : await PostAsync(endpoint, address, body, either.Token, cancellationToken);
        try
        {
            await using var stream = new BoundedStream(await response.Content.ReadAsStreamAsync(either.Token), MostBytes);
            return await JsonDocument.ParseAsync(stream, default, either.Token);
        }
        catch (Exception fault) when (fault is JsonException or IOException or HttpRequestException)
        {
            throw new RemoteException($"{endpoint.Address.Authority} gave no readable answer.", fault);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RemoteException($"{endpoint.Address.Authority} did not answer in time.", fault);
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Endpoint endpoint, HttpRequestMessage request, CancellationToken limited, CancellationToken stopped)
    {
        try
        {
            if (key is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            }

            var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limited);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            var fault = Refused(endpoint, response);
            response.Dispose();
            throw fault;
        }
        catch (HttpRequestException fault)
        {
            throw new RemoteException($"{endpoint.Address.Authority} cannot be reached: is the engine running there?", fault);
        }
        catch (OperationCanceledException fault) when (!stopped.IsCancellationRequested)
        {
            throw new RemoteException($"{endpoint.Address.Authority} did not answer in time.", fault);
        }
        finally
        {
            request.Dispose();
        }
    }

    /// <summary>The answer's body is not quoted: it may repeat the conversation.</summary>
    private RemoteException Refused(Endpoint endpoint, HttpResponseMessage response)
    {
        var advice = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"check {sources.Key}.",
            HttpStatusCode.NotFound => sources.Address == "--endpoint" ? "check --endpoint and the name of the model (--model)." : $"check {sources.Address} and the name of the model.",
            HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity => "it does not take this request; the conversation may be too long for its context.",
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => "it is busy or still loading.",
            _ => "see its own log.",
        };
        return new RemoteException($"{endpoint.Address.Authority} answered {(int)response.StatusCode}: {advice}")
        {
            Status = (int)response.StatusCode,
            IsRequestFault = response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge,
            RetryAfter = response.Headers.RetryAfter switch
            {
                { Delta: { } wait } => wait,
                { Date: { } moment } when moment > time.GetUtcNow() => moment - time.GetUtcNow(),
                { Date: not null } => TimeSpan.Zero,
                _ => null,
            },
        };
    }
}
