// A card for Backstage: <FleetglassCard view="node" node="eu-1" /> in a page of an entity. The address and token of the share
// link are in app-config.yaml, which also lets the frame in; config.d.ts makes them known to the frontend.
// The link must list Backstage's origin: fleetglass share create … --origin https://backstage.example
import React, { useEffect, useRef, useState } from 'react';
import { InfoCard } from '@backstage/core-components';
import { configApiRef, useApi } from '@backstage/core-plugin-api';
import { useTheme } from '@material-ui/core/styles';

type Props = {
  view?: 'fleet' | 'node' | 'chart' | 'alerts' | 'risk' | 'uptime';
  node?: string;
  panel?: string;
  range?: string;
  title?: string;
};

export const FleetglassCard = ({ view = 'fleet', node, panel, range, title = 'Fleetglass' }: Props) => {
  const config = useApi(configApiRef);
  const theme = useTheme().palette.type;
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(320);
  const url = config.getString('fleetglass.url');

  useEffect(() => {
    const hear = ({ source, origin, data }: MessageEvent) => {
      if (source === frame.current?.contentWindow && origin === new URL(url).origin && data?.type === 'fleetglass:height') {
        setHeight(Math.min(Math.max(Number(data.height) || 0, 80), 2_000));
      }
    };
    window.addEventListener('message', hear);
    return () => window.removeEventListener('message', hear);
  }, [url]);

  const query = new URLSearchParams({ view, theme, compact: '1' });
  for (const [name, value] of Object.entries({ node, panel, range })) if (value) query.set(name, value);
  const source = `${url}/embed/${config.getString('fleetglass.token')}?${query}`;
  return (
    <InfoCard title={title}>
      <iframe ref={frame} src={source} title={title} loading="lazy" width="100%" height={height} style={{ border: 0, colorScheme: theme }} />
    </InfoCard>
  );
};
