using System.Text.Json.Nodes;
using System.Threading.Channels;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite.Server.Ollama;

/// <summary>
/// <c>/api/pull</c>: brings a model into the folder, as <c>psylite model pull</c> does, and tells how far it is. It is served after the next
/// start with its name. Callers choose the model, not the host it comes from.
/// </summary>
internal sealed class OllamaPull(AppOptions options, ServerLimits limits, TimeProvider time)
{
    private const int PullsAtOnce = 2;
    private readonly SemaphoreSlim _room = new(PullsAtOnce, PullsAtOnce);

    public async Task AnswerAsync(HttpContext http)
    {
        var body = await JsonBody.ReadObjectAsync(http);
        var name = JsonBody.Text(body, "model") ?? JsonBody.Text(body, "name") ?? throw ApiException.Invalid("model is required", "model");
        var streams = JsonBody.Flag(body, "stream") ?? true;
        var pull = Prepare(name, out var reference);
        if (!await _room.WaitAsync(0, http.RequestAborted))
        {
            throw new ApiException(429, "server_busy", "server busy, please try again.  other pulls are running") { RetryAfter = TimeSpan.FromSeconds(30) };
        }

        try
        {
            var lines = Channel.CreateUnbounded<JsonObject>(new UnboundedChannelOptions { SingleReader = true });
            var running = RunAsync(pull, reference, lines.Writer, http.RequestAborted);
            await (streams ? StreamAsync(http, lines.Reader) : WriteLastAsync(http, lines.Reader));
            await running;
        }
        finally
        {
            _room.Release();
        }
    }

    private ModelPull Prepare(string name, out ModelReference reference)
    {
        try
        {
            reference = ModelReference.Parse(name);
        }
        catch (FormatException e)
        {
            throw ApiException.Invalid(e.Message, "model");
        }

        if (options.Mirror is null && reference is OllamaReference { Host: not OllamaReference.DefaultHost })
        {
            throw ApiException.Invalid("models come from the usual registries here; use psylite model pull for another host", "model");
        }

        var folder = new ModelFolder(options.Models);
        Directory.CreateDirectory(folder.Root);
        var sources = new PullSources(Address(options.Mirror), Address(options.HuggingFace)!, options.HuggingFaceToken);
        return new ModelPull(folder, sources, limits.Downloads, time, Environment.ProcessId);
    }

    private static Uri? Address(string? text) => text is null ? null : new Uri(text.TrimEnd('/') + "/");

    private static async Task RunAsync(ModelPull pull, ModelReference reference, ChannelWriter<JsonObject> lines, CancellationToken cancellationToken)
    {
        try
        {
            lines.TryWrite(Status("pulling manifest"));
            await pull.RunAsync(reference, new Watch(lines), cancellationToken);
            lines.TryWrite(Status("verifying sha256 digest"));
            lines.TryWrite(Status("writing manifest"));
            lines.TryWrite(Status("success"));
        }
        catch (Exception e) when (e is PullException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            lines.TryWrite(new JsonObject { ["error"] = e.Message.ReplaceLineEndings(" ") });
        }
        catch (OperationCanceledException)
        {
            // The caller left; what was fetched stays for the next pull.
        }
        finally
        {
            lines.Complete();
        }
    }

    private static async Task StreamAsync(HttpContext http, ChannelReader<JsonObject> lines)
    {
        http.Response.ContentType = "application/x-ndjson";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await foreach (var line in lines.ReadAllAsync(http.RequestAborted))
        {
            await http.Response.WriteAsync(line.ToJsonString(ApiBoundary.Json) + "\n", http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private static async Task WriteLastAsync(HttpContext http, ChannelReader<JsonObject> lines)
    {
        var last = new JsonObject();
        await foreach (var line in lines.ReadAllAsync(http.RequestAborted))
        {
            last = line;
        }

        http.Response.StatusCode = last.ContainsKey("error") ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.WriteAsync(last.ToJsonString(ApiBoundary.Json), http.RequestAborted);
    }

    private static JsonObject Status(string words) => new() { ["status"] = words };

    /// <summary>Turns what a pull tells into lines, not more of them than somebody could read.</summary>
    private sealed class Watch(ChannelWriter<JsonObject> lines) : IPullWatch
    {
        public void Resolved(ResolvedModel model)
        {
        }

        public void Waiting() => lines.TryWrite(Status("waiting for another pull of this model"));

        public IPullMeter Begin(RemoteFile file, long alreadyHere) => new Meter(lines, file, alreadyHere);
    }

    private sealed class Meter : IPullMeter
    {
        private const int MostLines = 200;
        private readonly ChannelWriter<JsonObject> _lines;
        private readonly RemoteFile _file;
        private readonly Lock _lock = new();
        private long _completed;
        private long _told;

        public Meter(ChannelWriter<JsonObject> lines, RemoteFile file, long alreadyHere)
        {
            (_lines, _file, _completed) = (lines, file, alreadyHere);
            Tell();
        }

        public void Add(long bytes)
        {
            lock (_lock)
            {
                _completed += bytes;
                if (Math.Abs(_completed - _told) >= Math.Max(1, _file.Bytes / MostLines))
                {
                    Tell();
                }
            }
        }

        public void Dispose()
        {
        }

        private void Tell()
        {
            _told = _completed;
            _lines.TryWrite(new JsonObject
            {
                ["status"] = $"pulling {_file.Sha256[..12]}",
                ["digest"] = $"sha256:{_file.Sha256}",
                ["total"] = _file.Bytes,
                ["completed"] = _completed,
            });
        }
    }
}
